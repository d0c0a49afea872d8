/// One sentence at the bottom of the screen; it goes with the next key.
struct Notice: Hashable, Sendable {
  enum Kind: Hashable, Sendable {
    case info, success, warning, failure
  }

  let kind: Kind
  let text: String

  /// Ends in no line break and fits a line; the rest of a long reason is cut by the view.
  init(_ kind: Kind, _ text: String) {
    self.kind = kind
    self.text = String(text.map { $0.isNewline ? " " : $0 })
  }
}
