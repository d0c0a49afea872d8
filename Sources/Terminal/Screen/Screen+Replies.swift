import Glibc

extension Screen {
  /// Asks the terminal about itself.
  ///
  /// Nobody waits for it: what it answers arrives like input.
  func ask() {
    guard profile.family == .xterm else { return }
    replyDeadline = .now + Self.patience
    device.send(TerminalReply.question)
  }

  /// Whether the terminal was asked about itself and may still answer.
  var awaitsReplies: Bool { replyDeadline.map { .now < $0 } ?? false }

  /// What the terminal's answers mean to the program.
  func takeReplies() -> [InputEvent] {
    defer { decoder.replies = [] }
    return decoder.replies.compactMap { reply in
      switch reply {
      case .background(let red, let green, let blue):
        return .background(isLight: TerminalReply.isLight(red: red, green: green, blue: blue))
      case .keyboardFlags:
        guard !hasKeyboardFlags else { return nil }
        hasKeyboardFlags = true
        device.send(KeyboardFlags.on)
      case .attributes: replyDeadline = nil
      }
      return nil
    }
  }

  /// Takes answers that are still on their way, so that the shell does not take them for what its user types.
  func dropReplies() {
    let deadline = ContinuousClock.now + .milliseconds(Self.longestWait)
    while awaitsReplies, !hasInputEnded {
      let left = Int(ContinuousClock.now.duration(to: deadline) / .milliseconds(1))
      var descriptor = pollfd(fd: device.input, events: Int16(POLLIN), revents: 0)
      guard left > 0, poll(&descriptor, 1, Int32(left)) > 0 else { break }
      guard let bytes = readAvailable(device.input) else { break }
      _ = decoder.decode(bytes)
      if decoder.replies.contains(.attributes) { replyDeadline = nil }
      decoder.replies = []
    }
    replyDeadline = nil
  }

  /// How long an answer may take.
  private static let patience = Duration.seconds(2)
  /// Milliseconds that the end of the program waits for answers, only where none has come yet.
  private static let longestWait = 200
}
