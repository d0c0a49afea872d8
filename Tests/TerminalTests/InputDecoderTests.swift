import Testing
import TestSupport

@testable import Terminal

@Suite struct InputDecoderTests {
  private func decode(_ text: String) -> [InputEvent] {
    var decoder = InputDecoder()
    return decoder.decode(text.utf8) + decoder.flush()
  }

  @Test(arguments: [
    ("a", "a"), ("Я", "Я"), ("中", "中"), ("\r", "Enter"), ("\t", "Tab"), ("\u{7F}", "Backspace"),
    ("\u{8}", "ctrl-h"), ("\u{3}", "ctrl-c"), ("\u{1A}", "ctrl-z"), ("\u{0}", "ctrl-space"),
    ("\u{1C}", "ctrl-\\"), ("\u{1F}", "ctrl-_"), ("\n", "ctrl-j"), ("\u{1B}", "Esc"),
    ("\u{1B}x", "alt-x"), ("\u{1B}é", "alt-é"), ("\u{1B}\r", "alt-Enter"),
    ("\u{1B}[", "alt-["), ("\u{1B}O", "alt-O"), ("\u{1B}]", "alt-]"), ("\u{1B}P", "alt-P"),
    ("\u{1B}[A", "Up"), ("\u{1B}OA", "Up"), ("\u{1B}[1;5C", "ctrl-Right"),
    ("\u{1B}[1;2B", "S-Down"), ("\u{1B}[1;3D", "alt-Left"), ("\u{1B}[1;8H", "ctrl-alt-S-Home"),
    ("\u{1B}[H", "Home"), ("\u{1B}[1~", "Home"), ("\u{1B}[7~", "Home"), ("\u{1B}OF", "End"),
    ("\u{1B}[4~", "End"), ("\u{1B}[8~", "End"), ("\u{1B}[5~", "PgUp"), ("\u{1B}[6;5~", "ctrl-PgDn"),
    ("\u{1B}[2~", "Ins"), ("\u{1B}[3~", "Del"), ("\u{1B}[Z", "S-Tab"),
    ("\u{1B}OP", "F1"), ("\u{1B}[11~", "F1"), ("\u{1B}[[A", "F1"), ("\u{1B}[[E", "F5"),
    ("\u{1B}[15~", "F5"), ("\u{1B}[17~", "F6"), ("\u{1B}[24~", "F12"), ("\u{1B}[1;2R", "S-F3"),
    ("\u{1B}[5^", "ctrl-PgUp"), ("\u{1B}[5$", "S-PgUp"), ("\u{1B}[a", "S-Up"),
    ("\u{1B}Od", "ctrl-Left"), ("\u{1B}\u{1B}[A", "alt-Up"), ("\u{1B}OM", "Enter"),
    ("\u{1B}Oq", "1"), ("\u{1B}[27;5;9~", "ctrl-Tab"), ("\u{1B}[97;5u", "ctrl-a"),
    ("\u{1B}[13;2u", "S-Enter"), ("\u{1B}[97:65;2u", "A"),
    // Kitty's flag 1: Escape, ctrl-[ for those who type it, a locked keypad, its Enter, and num lock held.
    ("\u{1B}[27u", "Esc"), ("\u{1B}[91;5u", "Esc"), ("\u{1B}[57404u", "5"),
    ("\u{1B}[57414u", "Enter"), ("\u{1B}[57419;5u", "ctrl-Up"), ("\u{1B}[120;131u", "alt-x"),
    ("\u{1B}[106;5u", "ctrl-j"), ("\u{1B}[13;3u", "alt-Enter"),
  ])
  func keys(bytes: String, name: String) {
    #expect(decode(bytes) == KeyPress(parsing: name).map { [.key($0)] })
  }

  @Test(arguments: [
    ("\u{1B}[<0;10;5M", MouseEvent(point: Point(column: 9, row: 4), action: .press)),
    ("\u{1B}[<0;10;5m", MouseEvent(point: Point(column: 9, row: 4), action: .release)),
    ("\u{1B}[<32;300;5M", MouseEvent(point: Point(column: 299, row: 4), action: .drag)),
    (
      "\u{1B}[<2;1;1M",
      MouseEvent(point: Point(column: 0, row: 0), action: .press, button: .right)
    ),
    (
      "\u{1B}[<64;3;4M",
      MouseEvent(point: Point(column: 2, row: 3), action: .wheelUp, button: .none)
    ),
    (
      "\u{1B}[<81;3;4M",
      MouseEvent(
        point: Point(column: 2, row: 3), action: .wheelDown, button: .none, modifiers: .control)
    ),
    ("\u{1B}[M *%", MouseEvent(point: Point(column: 9, row: 4), action: .press)),
    (
      "\u{1B}[M#*%",
      MouseEvent(point: Point(column: 9, row: 4), action: .release, button: .none)
    ),
  ])
  func mouse(bytes: String, event: MouseEvent) {
    #expect(decode(bytes) == [.mouse(event)])
  }

  /// Replies and reports that nobody asked for, and sequences nobody knows.
  @Test(arguments: [
    "\u{1B}[?2026;2$y", "\u{1B}[12;40R", "\u{1B}[?62;22c", "\u{1B}[>0;276;0c", "\u{1B}[I",
    "\u{1B}[O", "\u{1B}]11;rgb:0000/0000/0000\u{7}", "\u{1B}]52;c;YWJj\u{1B}\\",
    "\u{1B}P1+r524742\u{1B}\\", "\u{1B}[<0;0;0M", "\u{1B}[<66;1;1M", "\u{1B}[99~",
    "\u{1B}[99999999999999999999A~", "\u{1B}[57441u", "\u{1B}[<1;2M", "\u{1B}[\u{1}", "\u{1B}[[Z",
  ])
  func unknownSequencesAreNotKeys(bytes: String) {
    let known: Set<String> = ["2", "7", "q"]
    let names = decode(bytes + "q").compactMap { event -> String? in
      guard case .key(let press) = event else { return "not a key" }
      return press.description
    }
    #expect(names.last == "q")
    #expect(known.intersection(names) == ["q"])
    #expect(names.count <= 3)
  }

  @Test func escapeNeedsTime() {
    var decoder = InputDecoder()
    #expect(decoder.decode([0x1B]).isEmpty)
    #expect(decoder.isPending)
    #expect(!decoder.isInsideSequence)
    #expect(decoder.flush() == [.key(KeyPress(.escape))])
    #expect(decoder.decode([0x1B, 0x1B]).isEmpty)
    #expect(decoder.flush() == [.key(KeyPress(.escape)), .key(KeyPress(.escape))])
    #expect(!decoder.isPending)
    #expect(decoder.flush().isEmpty)
  }

  @Test func aBrokenOffSequenceIsDropped() {
    var decoder = InputDecoder()
    #expect(decoder.decode("\u{1B}[<0;1".utf8).isEmpty)
    #expect(decoder.isInsideSequence)
    #expect(decoder.flush().isEmpty)
    #expect(decoder.decode("x".utf8) == [.key(KeyPress(.character("x")))])
  }

  @Test func aByteForBackspaceDependsOnTheDriver() {
    var decoder = InputDecoder(eraseByte: 8)
    #expect(decoder.decode([8]) == [.key(KeyPress(.backspace))])
  }

  @Test func pastesAreOneEventAndHoldNoControls() {
    let events = decode("\u{1B}[200~a\r\nb\rc\u{1B}[31m\u{3}\td\u{1B}[201~q")
    #expect(events == [.paste("a\nb\nc[31m\td"), .key(KeyPress(.character("q")))])
  }

  @Test func endlessPastesArriveInPieces() {
    var decoder = InputDecoder()
    var events = decoder.decode("\u{1B}[200~".utf8)
    for _ in 0..<17 {
      events += decoder.decode(Array(repeating: UInt8(ascii: "x"), count: 1 << 16))
    }
    #expect(events.count == 1)
    #expect(!decoder.isPending)
    events += decoder.decode("\u{1B}[201~".utf8)
    let total = events.reduce(0) { count, event in
      guard case .paste(let text) = event else { return count }
      return count + text.utf8.count
    }
    #expect(total == 17 << 16)
    #expect(decoder.decode("q".utf8) == [.key(KeyPress(.character("q")))])
  }

  @Test func invalidUTF8IsDropped() {
    var decoder = InputDecoder()
    let bytes: [UInt8] = [0xFF, 0x61, 0xC3, 0x62, 0xE0, 0x80, 0x80, 0x63, 0x80, 0x64, 0xF5, 0x65]
    let keys = decoder.decode(bytes) + decoder.flush()
    #expect(keys == "abcde".map { .key(KeyPress(.character($0))) })
  }

  /// Wherever the line cuts the bytes into pieces, the events are the same.
  @Test(arguments: 0..<50) func piecesMakeNoDifference(seed: UInt64) {
    let samples = [
      "a", "中", "\u{1B}[A", "\u{1B}[1;5C", "\u{1B}OP", "\u{1B}[<0;10;5M", "\u{1B}[15~", "\u{1B}x",
      "\u{1B}[200~pasted\r\n[201~\u{1B}[201~", "\u{1B}]11;rgb:0/0/0\u{7}", "\u{1B}[[B", "\r",
      "\u{1B}[M *%", "\u{1B}\u{1B}[B", "é",
    ]
    var random = SeededRandom(seed: seed)
    let text = (0..<12).compactMap { _ in samples.randomElement(using: &random) }.joined() + "."
    var whole = InputDecoder()
    let expected = whole.decode(text.utf8)
    var pieces = InputDecoder()
    var events: [InputEvent] = []
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let count = Int.random(in: 1...4, using: &random)
      events += pieces.decode(rest.prefix(count))
      rest = rest.dropFirst(count)
    }
    #expect(events == expected)
    #expect(!pieces.isPending)
  }

  // MARK: Replies

  @Test(arguments: [
    (
      "\u{1B}]11;rgb:ffff/8080/0000\u{1B}\\",
      TerminalReply.background(red: 1, green: 32896 / 65535, blue: 0)
    ),
    ("\u{1B}]11;rgb:f/0/f\u{7}", .background(red: 1, green: 0, blue: 1)),
    ("\u{1B}]11;rgba:ff/ff/00/80\u{7}", .background(red: 1, green: 1, blue: 0)),
    ("\u{1B}[?0u", .keyboardFlags), ("\u{1B}[?62;4;22c", .attributes),
  ])
  func repliesAreHeard(bytes: String, reply: TerminalReply) {
    for cut in 1..<bytes.utf8.count {
      var decoder = InputDecoder()
      var events = decoder.decode(bytes.utf8.prefix(cut))
      events += decoder.decode(bytes.utf8.dropFirst(cut)) + decoder.flush()
      #expect(events.isEmpty && decoder.replies == [reply], "cut after \(cut)")
    }
  }

  @Test(arguments: [
    "\u{1B}]11;rgb:12345/0/0\u{7}", "\u{1B}]11;rgb:ff/ff\u{7}", "\u{1B}]11;#ffffff\u{7}",
    "\u{1B}]11;rgb:-1/0/0\u{7}",
    "\u{1B}]10;rgb:ff/ff/ff\u{7}", "\u{1B}[?1;2y", "\u{1B}[>1;2c",
  ])
  func otherRepliesAreNothing(bytes: String) {
    var decoder = InputDecoder()
    #expect((decoder.decode(bytes.utf8) + decoder.flush()).isEmpty && decoder.replies.isEmpty)
  }

  /// A line so slow that the beginning is given up: what is left of the reply is still no key, and keys after it are.
  @Test(arguments: [
    "\u{1B}]11;rgb:ffff/aaaa/0b0b\u{1B}\\", "\u{1B}]11;rgb:ffff/aaaa/0b0b\u{7}",
    "\u{1B}[?62;22;52c", "\u{1B}[?1u",
  ])
  func lateRepliesDoNotBecomeKeys(bytes: String) {
    for cut in 3..<bytes.utf8.count {
      var decoder = InputDecoder()
      var events = decoder.decode(bytes.utf8.prefix(cut)) + decoder.flush()
      for byte in bytes.utf8.dropFirst(cut) { events += decoder.decode([byte]) }
      #expect(events.isEmpty, "cut after \(cut)")
      #expect(decoder.decode("4".utf8) == [.key(KeyPress(.character("4")))])
    }
  }

  @Test func keysAfterAReplyThatNeverEndsAreKeys() {
    var decoder = InputDecoder()
    #expect((decoder.decode("\u{1B}]11;rgb:".utf8) + decoder.flush()).isEmpty)
    #expect(decoder.decode("jq".utf8).count == 2)
  }

  @Test(arguments: 0..<50) func arbitraryBytesNeverStick(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    var decoder = InputDecoder()
    let alphabet: [UInt8] = [
      0x1B, 0x1B, 0x5B, 0x4F, 0x3B, 0x3C, 0x4D, 0x31, 0x7E, 0x80, 0xE4, 0, 0x61,
    ]
    for _ in 0..<300 {
      let bytes = (0..<Int.random(in: 1...6, using: &random)).map { _ in
        alphabet.randomElement(using: &random) ?? 0
      }
      _ = decoder.decode(bytes)
      _ = decoder.flush()
      #expect(!decoder.isPending)
    }
    #expect(decoder.decode("q".utf8) == [.key(KeyPress(.character("q")))])
  }
}
