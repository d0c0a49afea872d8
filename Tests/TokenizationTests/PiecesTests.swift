import TestSupport
import Testing

@testable import Checkpoints
@testable import Tokenization

/// Words, ids and normal forms as the `tokenizers` library gives them (Tests/Oracles/record_pieces.py).
struct PiecesTests {
  private struct Cut: Decodable {
    let name: String
    let json: String
    let pieces: [[String]]
  }

  private struct Pieces: Decodable {
    let texts: [String]
    let cuts: [Cut]
  }

  private struct Model: Decodable {
    let json: String
    let plain: [[Int]]
    let special: [[Int]]
    let decoded: [String]
  }

  private static let pieces = Result {
    try SharedTokenizers.fixture("pieces.json", as: Pieces.self)
  }
  private static let models = Result {
    try SharedTokenizers.fixture("models.json", as: [String: Model].self)
  }

  private func words(of text: String, _ cutter: TextCutter) -> [String] {
    let scanner = TextScanner(Array(text.utf8))
    if scanner.bytes.isEmpty { return [] }
    let (cut, words) = cutter.words(of: scanner, scanner.bytes.indices, .text)
    return words.map { String(decoding: cut.bytes[$0], as: UTF8.self) }
  }

  @Test func piecesEqualTheOracle() throws {
    let recorded = try Self.pieces.get()
    #expect(recorded.cuts.count > 30)
    for cut in recorded.cuts {
      let tokenizer = "{\"pre_tokenizer\": \(cut.json)}"
      let files = try SharedTokenizers.files(tokenizer)
      let cutter = try TextCutter(files.preTokenizer().0, source: cut.name)
      for (text, pieces) in zip(recorded.texts, cut.pieces) {
        let found = words(of: text, cutter)
        #expect(found.map(Array.init(_:)) == pieces.map(Array.init(_:)), "\(cut.name): \(text.debugDescription)")
      }
    }
  }

  /// What cuts by hand is as good as the pattern itself.
  @Test(arguments: ["llama3", "qwen2", "qwen35", "o200k", "tekken"])
  func patternsCutAsCuttersDo(name: String) throws {
    let recorded = try Self.pieces.get()
    let cut = try #require(recorded.cuts.first { $0.name == name })
    let files = try SharedTokenizers.files("{\"pre_tokenizer\": \(cut.json)}")
    guard case .split(let text, _, _) = try files.preTokenizer().0.cuts.first else { return }
    #expect(WordCutter(text) != nil)
    let pattern = try Pattern(text)
    var random = SeededRandom(seed: 11)
    for _ in 0..<2000 {
      let scanner = TextScanner(Array(RandomText.hard(&random).utf8))
      let cutter = try #require(WordCutter(text))
      var matcher = PatternMatcher(pattern, in: scanner, scanner.bytes.indices)
      var start = 0
      while start < scanner.bytes.count {
        let end = cutter.endOfWord(in: scanner, from: start, to: scanner.bytes.count)
        let match = matcher.firstMatch(from: start)
        #expect(match == start..<end, "\(String(decoding: scanner.bytes, as: UTF8.self).debugDescription)")
        guard match == start..<end else { break }
        start = end
      }
    }
  }

  @Test(arguments: ["prepend", "no prefix", "first", "lines", "unknown", "unigram", "unigram of words"])
  func idsEqualTheOracle(name: String) throws {
    let recorded = try #require(Self.models.get()[name])
    let tokenizer = try Tokenizer(SharedTokenizers.files(recorded.json).definition())
    for (number, text) in try Self.pieces.get().texts.enumerated() {
      let (plain, special) = (recorded.plain[number], recorded.special[number])
      let comment = Comment(rawValue: text.debugDescription)
      #expect(tokenizer.encode(text, allowsSpecialTokens: false) == plain, comment)
      #expect(tokenizer.encode(text, allowsSpecialTokens: true) == special, comment)
      let decoded = tokenizer.decode(special, skipsSpecialTokens: true)
      #expect(Array(decoded.utf8) == Array(recorded.decoded[number].utf8), comment)
    }
  }

  @Test func normalFormsEqualTheOracle() throws {
    let recorded = try SharedTokenizers.fixture("normal.json", as: [[String]].self)
    for (text, forms) in zip(try Self.pieces.get().texts, recorded) {
      for (step, form) in zip([Normalization.nfc, .nfd, .nfkc, .nfkd], forms) {
        let normalizer = try TextNormalizer([step], source: "t")
        #expect(normalizer.normalize(Array(text.utf8)) == Array(form.utf8), "\(step) \(text.debugDescription)")
      }
    }
  }
}
