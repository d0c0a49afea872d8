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

  /// What has no break is cut where no token reaches over, whatever the vocabulary, and at last anywhere.
  @Test func longRunsAreCutInBoundedPieces() throws {
    let tokenizer = try SharedTokenizers.gguf.get()
    let parts = ["{\"a\":1}", "Zq", "x", "~^", "the", "0", "é"]
    var generator = SeededRandom(seed: 5)
    let run = (0..<200_000).map { _ in parts.randomElement(using: &generator) ?? "" }.joined()
    var pieces = TextPieces(Array(run.utf8), for: tokenizer)
    var (found, ids): ([String], [Int]) = ([], [])
    while let piece = pieces.next() {
      ids += tokenizer.encode(piece, allowsSpecialTokens: false)
      found.append(piece)
    }
    #expect(found.joined() == run)
    #expect(found.allSatisfy { $0.utf8.count < 140 << 10 })
    #expect(ids == tokenizer.encode(run, allowsSpecialTokens: false))

    let letters = String(repeating: "漢", count: 400_000)
    let cut = self.pieces(of: letters)
    #expect(cut.joined() == letters)
    #expect(cut.allSatisfy { $0.utf8.count <= (512 << 10) + 3 })
  }

  @Test func idsOfThePiecesAreTheIdsOfTheWhole() throws {
    let tokenizer = try SharedTokenizers.gguf.get()
    let whole = tokenizer.encode(prose, allowsSpecialTokens: false)
    let parts = pieces(of: prose).flatMap { tokenizer.encode($0, allowsSpecialTokens: false) }
    #expect(parts == whole)
  }
}
