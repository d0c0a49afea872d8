import Testing
import TestSupport
import Tokenization

@Suite struct TextPiecesTests {
  private func pieces(of text: String) -> [String] {
    var pieces = TextPieces(Array(text.utf8))
    var found: [String] = []
    while let piece = pieces.next() { found.append(piece) }
    return found
  }

  /// Prose with whatever could stand beside a cut: blank lines, digits, punctuation, CJK, emoji.
  private var prose: String {
    var generator = SeededRandom(seed: 3)
    let words = [
      "word", "Été", "don't", "42", "…", "漢字", "🙂", "x", ".", "\n", "\n\n", " \n", "\r\n", "\t",
      "  ", "end\n",
    ]
    return (0..<60_000).map { _ in words.randomElement(using: &generator) ?? "" }
      .joined(separator: " ")
  }

  @Test func piecesMakeUpTheText() {
    let found = pieces(of: prose)
    #expect(found.joined() == prose)
    #expect(found.count > 5)
    #expect(found.dropLast().allSatisfy { $0.utf8.count >= TextPieces.size })
  }

  @Test(arguments: ["", "one", String(repeating: "漢", count: 20_000)])
  func textWithoutPlaceToCutStaysWhole(text: String) {
    #expect(pieces(of: text) == (text.isEmpty ? [] : [text]))
  }

  @Test func idsOfThePiecesAreTheIdsOfTheWhole() throws {
    let tokenizer = try SharedTokenizers.gguf.get()
    let whole = tokenizer.encode(prose, allowsSpecialTokens: false)
    let parts = pieces(of: prose).flatMap { tokenizer.encode($0, allowsSpecialTokens: false) }
    #expect(parts == whole)
  }
}
