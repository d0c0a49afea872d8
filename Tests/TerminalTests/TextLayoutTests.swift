import CNcurses
import Testing
import TestSupport

@testable import Terminal

@Suite struct WidthTests {
  @Test func agreesWithTheCLibraryOnTheBasicPlane() {
    _ = cn_use_locale()
    var disagreeing: [String] = []
    for value in UInt32(0)...0xFFFF {
      guard let scalar = Unicode.Scalar(value) else { continue }
      let expected = cn_scalar_width(value)
      // What one of the two does not know yet is no disagreement.
      guard expected >= 0, value != 0, let width = scalarWidth(scalar) else { continue }
      if width != expected { disagreeing.append(String(value, radix: 16)) }
    }
    #expect(disagreeing.isEmpty)
  }

  @Test(arguments: [
    ("", 0), ("abc", 3), ("é", 1), ("e\u{301}", 1), ("中文", 4), ("한", 2), ("😀", 2), ("⣿█╭", 3),
    ("\u{200B}", 0), ("\u{301}", 0), ("\t", 1), ("\r\n", 2), ("\u{E000}", 1), ("\u{378}", 1),
  ])
  func widths(text: String, columns: Int) {
    #expect(displayWidth(of: text) == columns)
  }
}

@Suite struct TextLayoutTests {
  @Test func truncates() {
    #expect(truncated("down_proj", to: 9) == "down_proj")
    #expect(truncated("down_proj", to: 6) == "down_…")
    #expect(truncated("中文字", to: 4) == "中…")
    #expect(truncated("abc", to: 1, ellipsis: "...") == "a")
    #expect(truncated("abc", to: 0) == "")
  }

  @Test func pads() {
    #expect(padded("4", to: 3, alignment: .trailing) == "  4")
    #expect(padded("中", to: 4, alignment: .center) == " 中 ")
    #expect(padded("q_proj", to: 4) == "q_p…")
  }

  @Test(arguments: [
    ("", ["" as Substring]),
    ("The sea is vast", ["The sea", "is vast"]),
    ("one\n\n two", ["one", "", " two"]),
    ("a    bbbbbbb", ["a", "bbbbbbb"]),
    ("incompressible", ["incompr", "essible"]),
    ("中文 中文字", ["中文", "中文字"]),
    ("中中中中", ["中中中", "中"]),
    ("abcdefg   ", ["abcdefg"]),
    ("ab ", ["ab "]),
  ])
  func wraps(text: String, lines: [Substring]) {
    #expect(wrapped(text, columns: 7) == lines)
  }

  @Test(arguments: 0..<30) func wrappedLinesFitAndLoseOnlyBlanks(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    let alphabet: [Character] = ["a", "b", " ", " ", "中", "\n", "e\u{301}"]
    let text = String((0..<80).compactMap { _ in alphabet.randomElement(using: &random) })
    let columns = Int.random(in: 2...12, using: &random)
    let lines = wrapped(text, columns: columns)
    for line in lines {
      let shown = String(line).drop { $0 == " " }
      #expect(displayWidth(of: shown) <= columns)
    }
    let kept = lines.joined().filter { $0 != " " }
    #expect(kept == text.filter { $0 != " " && $0 != "\n" })
  }
}
