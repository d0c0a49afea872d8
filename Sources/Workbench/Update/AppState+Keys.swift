import Terminal

extension AppState {
  /// Does what a key means where the keyboard is now.
  mutating func take(_ press: KeyPress) -> [Effect] {
    notice = nil
    if case .evaluation = overlay {
      overlay = nil
      // Any other key also does what it means.
      if press == KeyPress(.escape) { return [] }
    }
    if case .confirmation(let confirmation) = overlay, let effects = answer(confirmation, press) {
      return effects
    }
    let presses = [pendingPress, press].compactMap { $0 }
    pendingPress = nil
    switch keys.match(presses, in: contexts) {
    case .command(let command):
      if command.action != .cancel { isCancelArmed = false }
      return perform(command)
    case .prefix:
      pendingPress = press
      return []
    case .none:
      isCancelArmed = false
      guard isTyping else { return [] }
      return type { editor, _ in editor.handle(press) }
    }
  }

  /// Answers a question if the key is one of its choices; nil for keys that mean something else.
  private mutating func answer(_ confirmation: Confirmation, _ press: KeyPress) -> [Effect]? {
    guard press.modifiers.isEmpty, case .character(let character) = press.key else { return nil }
    guard let choice = confirmation.choices.first(where: { $0.key == character }) else {
      return nil
    }
    return choose(choice)
  }

  mutating func choose(_ choice: Confirmation.Choice) -> [Effect] {
    overlay = nil
    return choice.consequences.flatMap { follow($0) }
  }
}
