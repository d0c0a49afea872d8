/// Finds out where one key press, mouse report or reply of the terminal ends, and what it means.
struct SequenceParser {
  enum Meaning: Equatable {
    case event(InputEvent)
    case pasteBegins
    case reply(TerminalReply)
    case nothing
  }

  let bytes: ArraySlice<UInt8>
  let eraseByte: UInt8

  /// The length and the meaning of what `bytes` begin with, or nil if its end is missing.
  func next() -> (length: Int, Meaning)? {
    guard let first = bytes.first else { return nil }
    return first == Byte.escape ? escape() : key(at: 0, [])
  }

  private func byte(_ offset: Int) -> UInt8? {
    offset < bytes.count ? bytes[bytes.startIndex + offset] : nil
  }

  private func escape() -> (length: Int, Meaning)? {
    guard let second = byte(1) else { return nil }
    switch second {
    case UInt8(ascii: "["): return controlSequence()
    case UInt8(ascii: "O"): return singleShift()
    case UInt8(ascii: "]"): return string(after: UInt8(ascii: "0")...UInt8(ascii: "9"))
    case UInt8(ascii: "P"): return string(after: UInt8(ascii: "!")...UInt8(ascii: ">"))
    case Byte.escape:
      guard let third = byte(2) else { return nil }
      guard third == UInt8(ascii: "[") || third == UInt8(ascii: "O") else {
        return (1, .event(.key(KeyPress(.escape))))
      }
      let inner = SequenceParser(bytes: bytes.dropFirst(), eraseByte: eraseByte)
      guard let (length, meaning) = inner.next() else { return nil }
      return (length + 1, meaning.addingAlt)
    default: return key(at: 1, .alt)
    }
  }

  /// A key that sends one character: its UTF-8 bytes, or a control byte.
  private func key(at offset: Int, _ modifiers: KeyModifiers) -> (length: Int, Meaning)? {
    guard let first = byte(offset) else { return nil }
    if first < 0x20 || first == 0x7F {
      return (offset + 1, .event(.key(control(first, modifiers))))
    }
    let count =
      switch first {
      case 0..<0x80: 1
      case 0xC2..<0xE0: 2
      case 0xE0..<0xF0: 3
      case 0xF0..<0xF5: 4
      default: 0
      }
    guard count > 0 else { return (offset + 1, .nothing) }
    let available = bytes.dropFirst(offset).prefix(count)
    let continued = available.dropFirst().prefix { $0 & 0xC0 == 0x80 }
    guard continued.count == count - 1 else {
      return available.count < count && continued.count == available.count - 1
        ? nil : (offset + 1 + continued.count, .nothing)
    }
    guard let text = String(validating: available, as: UTF8.self), let character = text.first
    else { return (offset + count, .nothing) }
    return (offset + count, .event(.key(KeyPress(.character(character), modifiers))))
  }

  private func control(_ byte: UInt8, _ modifiers: KeyModifiers) -> KeyPress {
    switch byte {
    case 0x09: return KeyPress(.tab, modifiers)
    case 0x0D: return KeyPress(.enter, modifiers)
    case 0x7F, eraseByte: return KeyPress(.backspace, modifiers)
    case 0: return KeyPress(.character(" "), modifiers.union(.control))
    default:
      let letter = Character(UnicodeScalar(byte | 0x40))
      return KeyPress(.character(letter), modifiers.union(.control))
    }
  }

  /// `ESC O` and a letter: keys of the keypad, and others in application mode.
  private func singleShift() -> (length: Int, Meaning)? {
    guard let third = byte(2) else { return nil }
    guard let press = KeySequences.singleShift(third) else {
      return (2, .event(.key(KeyPress(.character("O"), .alt))))
    }
    return (3, .event(.key(press)))
  }

  /// A reply of the terminal (OSC or DCS) up to its terminator, if `start` can follow its opening.
  private func string(after start: ClosedRange<UInt8>) -> (length: Int, Meaning)? {
    guard let third = byte(2) else { return nil }
    guard start.contains(third) else { return key(at: 1, .alt) }
    for offset in 3..<max(3, bytes.count) {
      let text = bytes.dropFirst(2).prefix(offset - 2)
      if byte(offset) == Byte.bell { return (offset + 1, Meaning(replyIn: text)) }
      if byte(offset) == Byte.escape, let next = byte(offset + 1) {
        return next == UInt8(ascii: "\\")
          ? (offset + 2, Meaning(replyIn: text)) : (offset, .nothing)
      }
    }
    return nil
  }

  /// `ESC [`, parameters and a final byte.
  private func controlSequence() -> (length: Int, Meaning)? {
    guard let third = byte(2) else { return nil }
    if third == UInt8(ascii: "[") {
      guard let fourth = byte(3) else { return nil }
      return (4, Meaning(KeySequences.linuxConsole(fourth)))
    }
    if third == UInt8(ascii: "M") {
      guard bytes.count >= 6 else { return nil }
      return (6, Meaning(MouseReport.original(Array(bytes.dropFirst(3).prefix(3)))))
    }
    for offset in 2..<bytes.count {
      let byte = bytes[bytes.startIndex + offset]
      let isShiftedRxvtKey = byte == UInt8(ascii: "$") && third != UInt8(ascii: "?")
      if (0x40..<0x7F).contains(byte) || isShiftedRxvtKey {
        let sequence = ControlSequence(
          parameters: bytes.dropFirst(2).prefix(offset - 2), final: byte)
        return (offset + 1, sequence.meaning)
      }
      if !(0x20..<0x40).contains(byte) || offset > Self.longestSequence {
        return (offset, .nothing)
      }
    }
    return nil
  }

  private static let longestSequence = 64
}

extension SequenceParser.Meaning {
  init(_ event: InputEvent?) {
    self = event.map(Self.event) ?? .nothing
  }

  init(_ press: KeyPress?) {
    self.init(press.map(InputEvent.key))
  }

  /// What a string that the terminal sends says.
  init(replyIn text: ArraySlice<UInt8>) {
    self = TerminalReply(command: text).map(Self.reply) ?? .nothing
  }

  fileprivate var addingAlt: Self {
    guard case .event(.key(let press)) = self else { return self }
    return .event(.key(KeyPress(press.key, press.modifiers.union(.alt))))
  }
}
