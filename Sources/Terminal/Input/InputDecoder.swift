/// Turns the bytes that a terminal sends into input events.
///
/// Understands what xterm, rxvt, the Linux console, VT220s and those who imitate them send,
/// whatever the terminal is called; what it does not know is swallowed whole, so that the rest of
/// an escape sequence is never taken for keys. Sequences may arrive in any number of pieces.
///
/// Source: XTerm Control Sequences (ctlseqs); ECMA-48, section 5.4.
struct InputDecoder {
  /// The byte that erases on this terminal: `^H` stands for Backspace only if it is this one.
  let eraseByte: UInt8
  private var buffer: [UInt8] = []
  private var paste: [UInt8]?
  private var lateReply: LateReply?
  /// What the terminal has answered since this was last emptied.
  var replies: [TerminalReply] = []

  init(eraseByte: UInt8 = 0x7F) {
    self.eraseByte = eraseByte
  }

  /// Whether bytes are left of which only time can tell what they mean.
  var isPending: Bool { !buffer.isEmpty && paste == nil }

  /// Whether those bytes begin something that no person types.
  var isInsideSequence: Bool { isPending && buffer.count > 2 }

  /// The events that `bytes` complete.
  mutating func decode(_ bytes: some Sequence<UInt8>) -> [InputEvent] {
    buffer += bytes
    var events: [InputEvent] = []
    var rest = buffer[...]
    swallowLateReply(&rest)
    while !rest.isEmpty {
      if paste != nil {
        guard let event = continuePaste(&rest) else { break }
        events.append(event)
        continue
      }
      let parser = SequenceParser(bytes: rest, eraseByte: eraseByte)
      guard let (length, meaning) = parser.next() else { break }
      rest = rest.dropFirst(length)
      switch meaning {
      case .event(let event): events.append(event)
      case .pasteBegins: paste = []
      case .reply(let reply): replies.append(reply)
      case .nothing: break
      }
    }
    buffer = Array(rest)
    return events
  }

  /// What the pending bytes mean if nothing follows them: the Escape key, or a key with Alt.
  mutating func flush() -> [InputEvent] {
    guard isPending else { return [] }
    defer { buffer = [] }
    var events: [InputEvent] = []
    var rest = buffer[...]
    lateReply = LateReply(after: rest)
    while rest.count > 1, rest.prefix(2) == [Byte.escape, Byte.escape] {
      events.append(.key(KeyPress(.escape)))
      rest = rest.dropFirst()
    }
    if rest == [Byte.escape] {
      events.append(.key(KeyPress(.escape)))
    } else if rest.count == 2, rest.first == Byte.escape, let typed = rest.last,
      (0x20..<0x7F).contains(typed)
    {
      events.append(.key(KeyPress(.character(Character(UnicodeScalar(typed))), .alt)))
    }
    return events
  }

  /// Takes the end of a reply away whose beginning was given up.
  private mutating func swallowLateReply(_ rest: inout ArraySlice<UInt8>) {
    while var reply = lateReply, let byte = rest.first {
      let (belongs, goesOn) = reply.take(byte)
      if belongs { rest = rest.dropFirst() }
      lateReply = goesOn ? reply : nil
    }
  }

  /// Moves bytes of a paste out of `rest`; returns it once it has ended, or grown too large.
  private mutating func continuePaste(_ rest: inout ArraySlice<UInt8>) -> InputEvent? {
    guard var text = paste.take() else { return nil }
    let end = rest.firstRange(of: Self.pasteEnd)
    let content = rest[..<(end?.lowerBound ?? Self.possibleEnd(in: rest))]
    text += content
    rest = rest[(end?.upperBound ?? content.endIndex)...]
    guard end != nil || text.count >= Self.largestPaste else {
      paste = text
      return nil
    }
    if end == nil { paste = [] }
    return .paste(Self.cleaned(text))
  }

  /// Where the end marker might begin if the rest of it is still to come.
  private static func possibleEnd(in bytes: ArraySlice<UInt8>) -> Int {
    let longest = min(pasteEnd.count - 1, bytes.count)
    let kept = (0...longest).last { bytes.suffix($0) == pasteEnd.prefix($0) } ?? 0
    return bytes.endIndex - kept
  }

  private static func cleaned(_ bytes: [UInt8]) -> String {
    var scalars = String.UnicodeScalarView()
    var previous: Unicode.Scalar?
    for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars {
      switch scalar {
      case "\r": scalars.append("\n")
      case "\n": if previous != "\r" { scalars.append("\n") }
      case "\t": scalars.append("\t")
      default: if !isControl(scalar) { scalars.append(scalar) }
      }
      previous = scalar
    }
    return String(scalars)
  }

  private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
    scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value)
  }

  private static let pasteEnd = Array("\u{1B}[201~".utf8)[...]
  /// A paste of more bytes than this arrives in several events.
  private static let largestPaste = 1 << 20
}

/// Bytes with a name.
enum Byte {
  static let escape: UInt8 = 0x1B
  static let bell: UInt8 = 0x07
}
