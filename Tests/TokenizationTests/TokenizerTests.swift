import Checkpoints
import Testing
import Tokenization

/// Ids as the `tokenizers` library gives them (Tests/Oracles/record_tokens.py).
struct TokenizerTests {
  private struct Row: Decodable {
    let text: String
    /// Ids with control tokens taken for text, and recognised.
    let plain: [Int]
    let special: [Int]
    let decoded: String
  }

  private func rows(_ name: String) throws -> [Row] {
    let recorded = try SharedTokenizers.fixture("tokens.json", as: [String: [Row]].self)
    return try #require(recorded[name])
  }

  @Test(arguments: ["smollm2", "sample", "gpt2", "llama3"])
  func idsEqualTheOracle(name: String) throws {
    let tokenizer = try SharedTokenizers.named(name)
    for row in try rows(name) {
      #expect(tokenizer.encode(row.text, allowsSpecialTokens: false) == row.plain, "\(row.text)")
      #expect(tokenizer.encode(row.text, allowsSpecialTokens: true) == row.special, "\(row.text)")
    }
  }

  @Test(arguments: ["smollm2", "sample", "gpt2", "llama3"])
  func decodedTextEqualsTheOracle(name: String) throws {
    let tokenizer = try SharedTokenizers.named(name)
    for row in try rows(name) {
      let text = tokenizer.decode(row.special, skipsSpecialTokens: true)
      #expect(text.unicodeScalars.elementsEqual(row.decoded.unicodeScalars), "\(row.text)")
    }
  }

  @Test func ggufGivesTheSameIDs() throws {
    let gguf = try SharedTokenizers.gguf.get()
    for row in try rows("smollm2") {
      #expect(gguf.encode(row.text, allowsSpecialTokens: false) == row.plain)
      #expect(gguf.encode(row.text, allowsSpecialTokens: true) == row.special)
    }
    let directory = try SharedTokenizers.smollm2.get()
    #expect(gguf.beginToken == directory.beginToken)
    #expect(gguf.endTokens == directory.endTokens)
    #expect(gguf.addsBeginToken == directory.addsBeginToken)
    let question = [ChatMessage(role: .user, content: "Why?")]
    let prompt = try #require(try gguf.chatTemplate?.prompt(question))
    #expect(try directory.chatTemplate?.prompt(question) == prompt)
    #expect(gguf.vocabularySize == directory.vocabularySize)
  }

  @Test func specialTokensOfSmolLM2() throws {
    let tokenizer = try SharedTokenizers.smollm2.get()
    #expect(tokenizer.vocabularySize == 49152)
    #expect(tokenizer.beginToken == 1)
    #expect(tokenizer.endTokens == [2])
    #expect(!tokenizer.addsBeginToken)
    #expect(tokenizer.isSpecial(2))
    #expect(!tokenizer.isSpecial(100))
    #expect(tokenizer.text(of: 2) == "<|im_end|>")
    #expect(tokenizer.bytes(of: 49152) == [])
    #expect(tokenizer.bytes(of: -1) == [])
    #expect(tokenizer.decode([1, 19556, 2, 99_999], skipsSpecialTokens: true) == "Hello")
    #expect(
      tokenizer.decode([1, 19556, 2], skipsSpecialTokens: false) == "<|im_start|>Hello<|im_end|>")
  }

  @Test func brokenDefinitionsAreErrors() {
    let merge = TokenizerDefinition.Merge(left: 0, right: 1, result: 2)
    let token = TokenizerDefinition.AddedToken(id: 7, text: "x", isSpecial: true)
    #expect(throws: TokenizerError.self) {
      try Tokenizer(
        TokenizerDefinition(
          source: "t", tokens: ["a", "b"], merges: [merge], preTokenizer: .gpt2))
    }
    #expect(throws: TokenizerError.self) {
      try Tokenizer(
        TokenizerDefinition(
          source: "t", tokens: ["a"], merges: [], preTokenizer: .gpt2, addedTokens: [token]))
    }
  }
}
