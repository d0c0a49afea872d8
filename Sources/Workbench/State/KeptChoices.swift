/// What holds for every model and session once it is chosen.
struct KeptChoices: Hashable, Sendable {
  /// A choice by the name that it is kept under.
  enum Name: String, CaseIterable, Sendable {
    case theme, notify, links
  }

  private var values: [Name: String] = [:]

  subscript(name: Name) -> String? {
    get { values[name] }
    set { values[name] = newValue }
  }

  var isEmpty: Bool { values.isEmpty }
}
