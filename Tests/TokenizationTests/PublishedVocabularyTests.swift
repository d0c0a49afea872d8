import Foundation
import Tensors
import TestSupport
import Testing
import Tokenization

@testable import Checkpoints

/// Vocabularies of published models with texts and the ids that transformers gives them, out of llama.cpp's sources
/// (Tests/Oracles/make_vocabularies.py).
struct PublishedVocabularyTests {
  private static func definition(_ name: String) throws -> TokenizerDefinition {
    let path = try Repository.model("vocabularies/ggml-vocab-\(name).gguf")
    let header = try GGUFHeader(ByteStorage(mapping: path), file: path)
    return try GGUFTokenizer(header: header, vocabularySize: 1 << 20).definition()
  }

  private static func rows(_ name: String) throws -> [(text: String, ids: [Int])] {
    func contents(_ suffix: String) throws -> String {
      let path = try Repository.model("vocabularies/ggml-vocab-\(name).gguf.\(suffix)")
      return String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
    }
    let texts = try contents("inp").components(separatedBy: "\n__ggml_vocab_test__\n")
    let ids = try contents("out").split(separator: "\n", omittingEmptySubsequences: false).map {
      $0.split(separator: " ").compactMap { Int($0) }
    }
    return Array(zip(texts, ids))
  }

  @Test(arguments: [
    "command-r", "deepseek-coder", "deepseek-llm", "falcon", "gemma-4", "gpt-2", "llama-bpe",
    "llama-spm", "mpt", "phi-3", "qwen2", "qwen35", "refact", "starcoder",
  ])
  func idsEqualThoseOfTransformers(name: String) throws {
    let tokenizer = try Tokenizer(Self.definition(name))
    let rows = try Self.rows(name)
    #expect(rows.count > 30)
    for row in rows {
      #expect(tokenizer.encode(row.text, allowsSpecialTokens: false) == row.ids, "\(row.text)")
    }
  }
}
