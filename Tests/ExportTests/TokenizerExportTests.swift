import Foundation
import Tensors
import TestSupport
import Testing
import Tokenization

@testable import Checkpoints
@testable import Export
import JSON

/// Tokenizers from one format to the other and back, with published vocabularies and the ids that transformers gives
/// (Tests/Oracles/make_vocabularies.py).
struct TokenizerExportTests {
  private func path(_ name: String, _ suffix: String = "") throws -> String {
    try Repository.model("vocabularies/ggml-vocab-\(name).gguf\(suffix)")
  }

  private func published(_ name: String) throws -> TokenizerDefinition {
    let path = try path(name)
    let header = try GGUFHeader(ByteStorage(mapping: path), file: path)
    return try GGUFTokenizer(header: header, vocabularySize: 1 << 20).definition()
  }

  private func rows(_ name: String) throws -> [(text: String, ids: [Int])] {
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

  private func directory(_ json: [UInt8]) throws -> (HuggingFaceDirectory, TemporaryFolder) {
    let folder = try TemporaryFolder([("tokenizer.json", json)])
    return (try #require(HuggingFaceDirectory(path: folder.path)), folder)
  }

  /// What a GGUF file of the tokenizer says when it is read.
  private func inGGUF(
    _ definition: TokenizerDefinition, _ directory: HuggingFaceDirectory
  ) throws -> TokenizerDefinition {
    var metadata = GGUFMetadata()
    try metadata.setTokenizer(
      definition, vocabularySize: definition.tokens.count, in: directory)
    let file = GGUFFile(metadata: metadata.fields, tensors: [])
    let header = try GGUFHeader(ByteStorage(copying: file.header), file: "out.gguf")
    return try GGUFTokenizer(header: header, vocabularySize: definition.tokens.count).definition()
  }

  @Test(arguments: [
    "command-r", "deepseek-coder", "deepseek-llm", "falcon", "gemma-4", "gpt-2", "llama-bpe",
    "llama-spm", "phi-3", "qwen2", "qwen35",
  ])
  func idsStayFromFormatToFormat(name: String) throws {
    let source = try published(name)
    let json = JSONWriter.bytes(of: .object(.huggingFaceTokenizer(source)))
    let (directory, folder) = try directory(json)
    defer { _ = folder }
    let written = try TokenizerFiles(directory, vocabularySize: 1 << 20).definition()
    let returned = try inGGUF(written, directory)
    let tokenizers = try [written, returned].map { try Tokenizer($0) }
    for row in try rows(name) {
      for tokenizer in tokenizers {
        #expect(tokenizer.encode(row.text, allowsSpecialTokens: false) == row.ids, "\(row.text)")
      }
    }
    #expect(written.addedTokens.map(\.text) == source.addedTokens.map(\.text))
    #expect(returned.preTokenizer == source.preTokenizer)
    #expect(returned.model == source.model)
    #expect(returned.addsBeginToken == written.addsBeginToken)
  }

  /// Scores, the table of replacements, and the tokens around a text.
  @Test func unigramStaysFromFormatToFormat() throws {
    let source = try published("nomic-bert-moe")
    let json = JSONWriter.bytes(of: .object(.huggingFaceTokenizer(source)))
    let (directory, folder) = try directory(json)
    defer { _ = folder }
    let written = try TokenizerFiles(directory, vocabularySize: 1 << 20).definition()
    #expect(written.openingTokens == [0])
    #expect(written.closingToken == 2)
    let returned = try inGGUF(written, directory)
    let tokenizers = try [source, written, returned].map { try Tokenizer($0) }
    for row in try rows("llama-spm") {
      let ids = tokenizers.map { $0.encode(row.text, allowsSpecialTokens: false) }
      #expect(ids[1] == ids[0], "\(row.text)")
      #expect(ids[2] == ids[0], "\(row.text)")
    }
    #expect(returned.normalizations == source.normalizations)
    #expect(returned.preTokenizer == source.preTokenizer)
  }

  private struct Model: Decodable {
    let json: String
  }

  /// By kind of recorded tokenizer, why GGUF cannot say what it does.
  @Test(arguments: [
    ("lines", "normalizes or cuts text"), ("unknown", "normalizes or cuts text"),
    ("unigram", "normalizes text in a way"),
    ("unigram of words", "normalizes text in a way"),
  ])
  func whatGGUFCannotSayIsRefused(name: String, reason: String) throws {
    let models = try Repository.fixture(
      "models.json", of: "TokenizationTests", as: [String: Model].self)
    let json = try #require(models[name]?.json)
    let (directory, folder) = try directory(Array(json.utf8))
    defer { _ = folder }
    let definition = try TokenizerFiles(directory, vocabularySize: 1000).definition()
    let error = #expect(throws: CheckpointError.self) {
      try self.inGGUF(definition, directory)
    }
    #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
  }

  @Test func cutsWithoutANameAreRefused() throws {
    let source = TokenizerDefinition(
      source: "t", tokens: ["a"], preTokenizer: PreTokenizer([.split("a+")]))
    let (directory, folder) = try directory(Array("{}".utf8))
    defer { _ = folder }
    let error = #expect(throws: CheckpointError.self) { try self.inGGUF(source, directory) }
    #expect(error?.description.contains("llama.cpp has no name for") == true)
  }
}
