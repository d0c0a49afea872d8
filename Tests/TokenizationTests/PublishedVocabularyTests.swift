import Foundation
import Tensors
import TestSupport
import Testing

@testable import Checkpoints
@testable import Tokenization

/// Vocabularies of published models, most with texts and the ids that transformers gives them, out of llama.cpp's sources
/// (Tests/Oracles/make_vocabularies.py).
struct PublishedVocabularyTests {
  private static let withIDs = [
    "command-r", "deepseek-coder", "deepseek-llm", "falcon", "gemma-4", "gpt-2", "llama-bpe",
    "llama-spm", "mpt", "phi-3", "qwen2", "qwen35", "refact", "starcoder",
  ]
  private static let withoutIDs = ["aquila", "baichuan", "gpt-neox", "nomic-bert-moe"]
  /// What is not read, and why.
  private static let refused = ["bert-bge": "the tokenizer \"bert\""]

  private static func path(_ name: String, _ suffix: String = "") throws -> String {
    try Repository.model("vocabularies/ggml-vocab-\(name).gguf\(suffix)")
  }

  private static func tokenizer(_ name: String) throws -> GGUFTokenizer {
    let path = try path(name)
    let header = try GGUFHeader(ByteStorage(mapping: path), file: path)
    return GGUFTokenizer(header: header, vocabularySize: 1 << 20)
  }

  private static func definition(_ name: String) throws -> TokenizerDefinition {
    try tokenizer(name).definition()
  }

  private static func rows(_ name: String) throws -> [(text: String, ids: [Int])] {
    func contents(_ suffix: String) throws -> String {
      let data = try Data(contentsOf: URL(filePath: try path(name, suffix)))
      return String(decoding: data, as: UTF8.self)
    }
    let texts = try contents(".inp").components(separatedBy: "\n__ggml_vocab_test__\n")
    let ids = try contents(".out").split(separator: "\n", omittingEmptySubsequences: false)
    return zip(texts, ids).map { text, line in
      (text, line.split(separator: " ").compactMap { Int($0) })
    }
  }

  @Test(arguments: withIDs)
  func idsEqualThoseOfTransformers(name: String) throws {
    let tokenizer = try Tokenizer(Self.definition(name))
    let rows = try Self.rows(name)
    #expect(rows.count > 30)
    for row in rows {
      #expect(tokenizer.encode(row.text, allowsSpecialTokens: false) == row.ids, "\(row.text)")
    }
  }

  /// Whatever characters a vocabulary does not have, it has their bytes; some lack bytes that rare characters have.
  @Test(arguments: withIDs + withoutIDs)
  func textsComeBack(name: String) throws {
    let definition = try Self.definition(name)
    let (tokenizer, bytes) = try (Tokenizer(definition), Vocabulary(definition).byteTokens)
    var (random, checked) = (SeededRandom(seed: 21), 0)
    for _ in 0..<200 {
      let text = RandomText.hard(&random)
      let ids = tokenizer.encode(text, allowsSpecialTokens: false)
      #expect(ids.allSatisfy { !tokenizer.isSpecial($0) || $0 == definition.unknownToken })
      guard definition.model != .unigram, text.utf8.allSatisfy({ bytes[Int($0)] != nil }),
        !text.contains(Normalization.spaceMark)
      else { continue }
      checked += 1
      let decoded = tokenizer.decode(ids, skipsSpecialTokens: false)
      #expect(Array(decoded.utf8) == Array(text.utf8), "\(text.debugDescription)")
    }
    #expect(checked > (definition.model == .unigram ? -1 : 20))
  }

  @Test func whatIsRefusedIsNamed() throws {
    for (name, reason) in Self.refused {
      let error = #expect(throws: CheckpointError.self) { try Self.definition(name) }
      #expect(error?.description.contains(reason) == true)
    }
  }

  /// A cut where no word goes on changes no id.
  @Test(arguments: withIDs + withoutIDs)
  func piecesOfALongTextGiveItsIDs(name: String) throws {
    let tokenizer = try Tokenizer(Self.definition(name))
    var random = SeededRandom(seed: 22)
    let words = [
      "word", " of", "\n", "\nEnd", " 1234", "!", "  ", "\u{301}", "漢字", "\r\n", "\n\n\n", "'s",
    ]
    let text = (0..<30_000).map { _ in words.randomElement(using: &random) ?? "" }.joined()
    var pieces = TextPieces(Array(text.utf8), for: tokenizer)
    var (ids, count) = ([Int](), 0)
    while true {
      let continues = pieces.continues
      guard let piece = pieces.next() else { break }
      ids += tokenizer.encode(piece, allowsSpecialTokens: false, continues: continues)
      count += 1
    }
    #expect(count > 4)
    #expect(ids == tokenizer.encode(text, allowsSpecialTokens: false))
  }

  @Test func missingPreTokenizersAreSaid() throws {
    let unnamed = try Self.tokenizer("gpt-neox")
    #expect(
      GGUFTokenizer.notes(on: unnamed.header).map { $0.contains("tokenizer.ggml.pre") } == [true])
    #expect(try unnamed.definition().preTokenizer.cuts.count == 4)
    for name in ["gpt-2", "llama-spm", "gemma-4"] {
      #expect(GGUFTokenizer.notes(on: try Self.tokenizer(name).header).isEmpty, "\(name)")
    }
  }

  @Test func beginAndEndTokensAreThoseOfLlamaCpp() throws {
    // By name: the begin token, whether texts start with it, and the token that ends a whole text.
    let expected: [(String, Int?, Bool, Int?)] = [
      ("llama-bpe", 128000, true, nil), ("llama-spm", 1, true, nil), ("gpt-2", 50256, false, nil),
      ("gemma-4", 2, true, nil), ("nomic-bert-moe", 0, true, 2), ("baichuan", 1, true, nil),
      ("qwen2", 151643, false, nil),
    ]
    for (name, begin, adds, closing) in expected {
      let tokenizer = try Tokenizer(Self.definition(name))
      #expect(tokenizer.beginToken == begin, "\(name)")
      #expect(tokenizer.addsBeginToken == adds, "\(name)")
      #expect(tokenizer.openingTokens == (adds ? [begin].compactMap(\.self) : []), "\(name)")
      #expect(tokenizer.closingToken == closing, "\(name)")
    }
  }
}
