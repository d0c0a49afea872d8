import Testing
import Text

struct DisplayTextTests {
  /// Everything that moves a cursor, sets colours, turns text around or hides.
  static let harmful: [Unicode.Scalar] =
    (Array(0..<0x20) + Array(0x7f..<0xa0) + [
      0x61c, 0x200b, 0x200c, 0x200d, 0x200e, 0x200f, 0x2028, 0x2029, 0x202a, 0x202b, 0x202c, 0x202d,
      0x202e, 0x2060, 0x2066, 0x2067, 0x2068, 0x2069, 0xfeff, 0xe0041,
    ]).filter { $0 != 0x0a }.compactMap { Unicode.Scalar(UInt32($0)) }

  @Test(arguments: harmful)
  func nothingHarmfulIsPrinted(scalar: Unicode.Scalar) {
    let text = "a\(scalar)b"
    #expect(DisplayText.spelled(text) == "a\\u{\(String(scalar.value, radix: 16))}b")
    #expect(!DisplayText.line(text).unicodeScalars.contains(scalar))
    if scalar != "\t" {
      #expect(DisplayText.text(text) == "ab")
      #expect(!DisplayText.json(text).unicodeScalars.contains(scalar))
    }
  }

  @Test func joinersOfScriptsAndEmojiStayInAnswers() {
    let text = "👩‍👧 می‌خواهم"
    #expect(DisplayText.text(text) == text)
    #expect(DisplayText.text("a\u{200d}b") == "ab")
  }

  @Test func ordinaryTextIsLeft() {
    let text = "layers.0 é 模型 ±½\nnext"
    #expect(DisplayText.spelled(text) == text)
    #expect(DisplayText.text("a\tb\nc") == "a\tb\nc")
    #expect(
      DisplayText.json("{\"a\":\"\u{9b}\u{202e}\u{e0041}\"}")
        == #"{"a":"\u009b\u202e\udb40\udc41"}"#)
  }
}
