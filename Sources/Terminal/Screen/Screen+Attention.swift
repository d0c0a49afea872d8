/// How a terminal calls its user.
public enum Attention: String, CaseIterable, Hashable, Sendable {
  case off
  /// Rings, or marks the window.
  case bell
  /// A notification of the desktop, as iTerm2, kitty, ConEmu and Windows Terminal know it.
  case osc9
  /// A notification with a title, as rxvt, foot, Ghostty and VTE know it.
  case osc777
}

extension Screen {
  /// Calls the user, with a sentence where the terminal shows one.
  public func call(_ sentence: String, by attention: Attention) {
    let text = String(
      sentence.unicodeScalars.filter { $0.value >= 0x20 && !(0x7F..<0xA0).contains($0.value) }
        .map { $0 == ";" ? "," : Character($0) }.prefix(200))
    switch attention {
    case .off: break
    case .bell: device.send("\u{07}")
    case .osc9: sendThrough("\u{1B}]9;\(text)\u{1B}\\")
    case .osc777: sendThrough("\u{1B}]777;notify;vise;\(text)\u{1B}\\")
    }
  }

  /// Sends a sequence to the window's terminal, also past tmux, which passes it on where `allow-passthrough` is on.
  private func sendThrough(_ sequence: String) {
    guard device.environment["TMUX"] != nil else { return device.send(sequence) }
    let doubled = sequence.replacing("\u{1B}", with: "\u{1B}\u{1B}")
    device.send("\u{1B}Ptmux;\(doubled)\u{1B}\\")
  }
}
