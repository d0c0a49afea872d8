import Testing

@testable import Serving

@Suite struct EventStreamParserTests {
  private func events(_ text: String, split: [Int] = []) throws -> [String] {
    var parser = EventStreamParser()
    let bytes = Array(text.utf8)
    var events: [[UInt8]] = []
    let cuts = [0] + split.sorted() + [bytes.count]
    for (start, end) in zip(cuts, cuts.dropFirst()) {
      events += try parser.append(bytes[start..<end])
    }
    if let rest = parser.finish() { events.append(rest) }
    return events.map { String(decoding: $0, as: UTF8.self) }
  }

  /// The cases of the standard's own section on interpreting event streams, with what they give.
  @Test(arguments: [
    ("data: YHOO\ndata: +2\ndata: 10\n\n", ["YHOO\n+2\n10"]),
    (
      ": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\n",
      ["first event", "second event"]
    ),
    ("data\n\ndata\ndata\n\ndata:", ["\n"]),
    ("data:test\n\ndata: test\n\n", ["test", "test"]),
    ("\u{FEFF}data: marked\n\n", ["marked"]),
    ("data: \u{FEFF}kept\n\n", ["\u{FEFF}kept"]),
    ("data: a\rdata: b\r\rdata: c\r\n\r\n", ["a\nb", "c"]),
    ("datax: no\nDATA: no\n data: no\nretry: 3\n\n", []),
    ("data: a: b\n\n", ["a: b"]),
    ("data: last", ["last"]),
    ("", []),
  ])
  func interpretsStreams(_ text: String, _ expected: [String]) throws {
    #expect(try events(text) == expected)
  }

  @Test func splitsDoNotMatter() throws {
    let text =
      "\u{FEFF}: hi\r\n\r\ndata: {\"a\": \"wörld 🌊\"}\r\n\r\ndata: x\rdata: y\r\rid: 3\ndata:z\n\n\ndata: [DONE]\n\n"
    let whole = try events(text)
    #expect(whole == ["{\"a\": \"wörld 🌊\"}", "x\ny", "z", "[DONE]"])
    let length = text.utf8.count
    for place in 0...length { #expect(try events(text, split: [place]) == whole) }
    var random = SystemRandomNumberGenerator()
    for _ in 0..<500 {
      let split = (0..<Int.random(in: 1...20, using: &random)).map { _ in
        Int.random(in: 0...length, using: &random)
      }
      #expect(try events(text, split: split) == whole, "\(split)")
    }
    #expect(try events(text, split: Array(0...length)) == whole)
  }

  @Test func eventsAreBounded() throws {
    var parser = EventStreamParser()
    let chunk = [UInt8](repeating: UInt8(ascii: "x"), count: EventStreamParser.eventLimit)
    #expect(try parser.append("data: a\n\n".utf8).count == 1)
    #expect(throws: EventStreamParser.TooLong.self) { try parser.append(chunk + [0]) }
    // Many lines of one event count together.
    var other = EventStreamParser()
    let line = Array("data: ".utf8) + chunk.prefix(1 << 18) + Array("\n".utf8)
    #expect(throws: EventStreamParser.TooLong.self) {
      for _ in 0..<5 { _ = try other.append(line) }
    }
  }
}
