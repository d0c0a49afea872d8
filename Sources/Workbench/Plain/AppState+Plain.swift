import Terminal

extension AppState {
  /// Does what a line says: answers what is asked, fills the field that is open, or is a command.
  ///
  /// - Parameter text: The line, a command with or without the colon before it.
  /// - Returns: What is to be done, and whether what is seen is to be told again.
  mutating func take(line text: String) -> (effects: [Effect], tells: Bool) {
    notice = nil
    let text = String(text.trimmingBlanks())
    if case .confirmation(let confirmation) = overlay {
      if text.isEmpty { return (perform(Command(.back)), false) }
      if let choice = confirmation.choices.first(where: { String($0.key) == text }) {
        return (choose(choice), false)
      }
    }
    if overlay == .export, let command = Self.exportAnswers[text] {
      return (perform(command), false)
    }
    if line != nil {
      if text == "cancel" { return (closeLine(), false) }
      if !text.isEmpty { line?.editor.replace(with: text) }
      return (lineChanged() + edit(.accept), false)
    }
    if screen == .start, let number = Int(text), start.entries.indices.contains(number - 1) {
      start.moveCursor(by: number - 1 - start.cursor)
      return (openChosenModel(), false)
    }
    let words = text.hasPrefix(":") ? String(text.dropFirst()) : text
    guard !words.isEmpty else { return ([], false) }
    overlay = nil
    guard let command = Command(parsing: words), !command.action.isLocal else {
      if isPrompting, !text.hasPrefix(":") { return (send(text), false) }
      refuse("No command \"\(words.split(separator: " ").first ?? "")\"; `help` lists all")
      return ([], false)
    }
    let before = screen
    let effects = perform(command)
    return (effects, notice?.kind != .failure && (screen != before || command.action.shows))
  }

  /// What may be answered to an export that is offered.
  private static let exportAnswers: [String: Command] = [
    "": Command(.back), "yes": Command(.accept), "y": Command(.accept),
    "replace": Command(.replace), "nearest": Command(.nearest), "next": Command(.right),
  ]
}

extension Action {
  /// Whether what it leads to is told although the screen is the same.
  fileprivate var shows: Bool {
    switch self {
    case .layers, .filter, .sort, .budget, .frontier, .compare, .history, .hardware, .jobs, .chat,
      .models:
      true
    default: false
    }
  }
}
