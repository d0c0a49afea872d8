/// One line of input at the bottom of the screen: the command line, the filter, or a field.
struct InputLine: Hashable, Sendable {
  enum Purpose: Codable, Hashable, Sendable {
    case command
    /// Filters while it is typed; carries the filter to go back to.
    case filter(before: String)
    /// Asks for an action's argument.
    case argument(Action)
  }

  let purpose: Purpose
  /// What is asked for, as shown before the text.
  let title: String
  var editor: LineEditor
  /// What fits the text so far, best first.
  var completions: [Completion] = []
  /// The completion that stands in the line now.
  var chosen: Int?
  /// Why the text was refused.
  var flaw: String?

  init(_ purpose: Purpose, title: String, text: String = "") {
    self.purpose = purpose
    self.title = title
    editor = LineEditor(text, isOffered: true)
  }

  /// The command that the line's text completes or gives.
  var action: Action? {
    switch purpose {
    case .command:
      guard let blank = editor.text.firstIndex(of: " ") else { return nil }
      return Action(named: editor.text[..<blank])
    case .filter: return .filter
    case .argument(let action): return action
    }
  }

  /// The text that is completed: the argument, or the whole line while a command is named.
  var argumentText: String {
    // Of a choice that is only offered, the others are offered too.
    if editor.isOffered, action?.argument.isPath == false { return "" }
    guard case .command = purpose else { return editor.text }
    guard let blank = editor.text.firstIndex(of: " ") else { return editor.text }
    return String(editor.text[blank...].trimmingBlanks())
  }

  /// The path in the argument: all of it, or what stands behind `open` or `save` of sensitivity.
  var pathText: String {
    let text = argumentText
    let verbs: [String] =
      switch action {
      case .sensitivity: SensitivityVerb.allCases.map(\.rawValue)
      case .history: ["csv"]
      default: []
      }
    if action == .prompt, text.hasPrefix("@") { return String(text.dropFirst()) }
    let verb = verbs.first { text.hasPrefix($0 + " ") }
    return verb.map { String(text.dropFirst($0.count).trimmingBlanks()) } ?? text
  }
}

/// One way to complete a text.
struct Completion: Hashable, Sendable {
  /// The whole text after completing.
  let text: String
  /// What people see in the list.
  let label: String
  let help: String

  init(_ text: String, label: String? = nil, help: String = "") {
    self.text = text
    self.label = label ?? text
    self.help = help
  }
}
