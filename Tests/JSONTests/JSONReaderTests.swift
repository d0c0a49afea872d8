import Testing

@testable import JSON

struct JSONReaderTests {
  private func read(_ text: String) throws -> JSONValue {
    try JSONReader.read(Array(text.utf8))
  }

  @Test func readsEveryKindOfValue() throws {
    #expect(try read(" null ") == .null)
    #expect(try read("true") == .bool(true))
    #expect(try read("-12") == .integer(-12))
    #expect(try read("9223372036854775807") == .integer(.max))
    #expect(
      try read("9223372036854775808")
        == .number(9_223_372_036_854_775_808, text: "9223372036854775808"))
    #expect(try read("1.5e3") == .number(1500, text: "1.5e3"))
    #expect(try read("1E-05") == .number(1e-5, text: "1E-05"))
    #expect(try read("[]") == .array([]))
    #expect(try read("[1, [\"a\"]]") == .array([.integer(1), .array([.string("a")])]))
    let object = try #require(try read(#"{"a": 1, "b": {"c": null}}"#).object)
    #expect(object["a"] == .integer(1))
    #expect(object["b"]?.object?["c"] == .null)
    #expect(object["d"] == nil)
  }

  @Test func resolvesEscapes() throws {
    #expect(try read(#""\"\\\/\b\f\n\r\t""#) == .string("\"\\/\u{8}\u{c}\n\r\t"))
    #expect(try read(#""\u00e9\u4E2D\ud83d\ude42""#) == .string("é中🙂"))
    #expect(try read("\"é中🙂\"") == .string("é中🙂"))
  }

  @Test func toldApartByBytesNotByCanonicalEquivalence() throws {
    let object = try #require(try read("{\"\u{e9}\": 1, \"e\u{301}\": 2}").object)
    #expect(object.members.map(\.value) == [.integer(1), .integer(2)])
  }

  @Test(arguments: [
    "", " ", "{", "[", "\"", "\"\\", "\"\\u12", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,}",
    "[1,]", "[1 2]", "{a:1}", "{\"a\":1,\"a\":2}", "tru", "nul", "TRUE", "NaN", "Infinity", "+1",
    "01", "1.", ".5", "1e", "-", "1e999", "--1", "'a'", "\"\\x\"", "\"\\ud800\"", "\"\\udc00\"",
    "\"\\ud800\\u0041\"", "\"\\u12g4\"", "\"\n\"", "1 2", "{} {}", "// a\n1", "[1}", "{\"a\" 1}",
  ])
  func refusesWhatIsNotJSON(text: String) {
    #expect(throws: JSONError.self) { try read(text) }
  }

  @Test func refusesInvalidUTF8() {
    for bytes: [UInt8] in [[0xff], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xe2, 0x82]] {
      #expect(throws: JSONError.self) { try JSONReader.read([0x22] + bytes + [0x22]) }
    }
  }

  @Test func refusesDepthThatWouldExhaustTheStack() throws {
    let depth = JSONReader.maximumDepth
    let deepest = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    #expect(throws: Never.self) { try read(deepest) }
    #expect(throws: JSONError.self) { try read("[" + deepest + "]") }
    #expect(throws: JSONError.self) { try read(String(repeating: "{\"a\":", count: 1_000_000)) }
  }

  @Test func saysWhere() {
    #expect(throws: JSONError(offset: 11, reason: "expected ':'")) { try read("{\"a\":1,\"b\" 2}") }
  }
}
