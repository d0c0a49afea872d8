import Tensors

/// Reads the tokenizer in a GGUF file's metadata.
struct GGUFTokenizer {
  let header: GGUFHeader
  let vocabularySize: Int

  func definition() throws(CheckpointError) -> TokenizerDefinition {
    let model = try header.text("tokenizer.ggml.model") ?? "left out"
    guard model == "gpt2" else {
      throw CheckpointSource.unsupported("the tokenizer \"\(model)\"", file: header.file)
    }
    let tokens = try header.strings("tokenizer.ggml.tokens")
    guard tokens.count <= vocabularySize else {
      throw CheckpointSource.outsideVocabulary(
        tokens.count - 1, vocabularySize, file: header.file)
    }
    var merges: [TokenizerDefinition.Merge] = []
    for text in try header.strings("tokenizer.ggml.merges") {
      guard let merge = TokenizerDefinition.Merge(spaced: text) else {
        throw header.error("tokenizer.ggml.merges has \"\(text)\", which is not two tokens")
      }
      merges.append(merge)
    }
    guard try header.flag("tokenizer.ggml.add_space_prefix") != true else {
      throw CheckpointSource.unsupported("a space before every text", file: header.file)
    }
    guard try header.flag("tokenizer.ggml.add_eos_token") != true else {
      throw CheckpointSource.unsupported("an end token after every text", file: header.file)
    }
    let endToken = try id("tokenizer.ggml.eos_token_id", below: tokens.count)
    let endOfTurn = try id("tokenizer.ggml.eot_token_id", below: tokens.count)
    let beginToken = try id("tokenizer.ggml.bos_token_id", below: tokens.count)
    let (preTokenizer, ignoresMerges) = try preTokenizer()
    // What llama.cpp takes for granted where the file says nothing.
    let addsBeginToken =
      try header.flag("tokenizer.ggml.add_bos_token") ?? ignoresMerges
    let named = [
      "bos_token": beginToken, "eos_token": endToken,
      "unk_token": try id("tokenizer.ggml.unknown_token_id", below: tokens.count),
      "pad_token": try id("tokenizer.ggml.padding_token_id", below: tokens.count),
    ]
    return TokenizerDefinition(
      source: header.file, tokens: tokens, merges: merges, preTokenizer: preTokenizer,
      ignoresMerges: ignoresMerges, addedTokens: try addedTokens(tokens),
      beginToken: beginToken, endTokens: Set([endToken, endOfTurn].compactMap(\.self)),
      addsBeginToken: addsBeginToken && beginToken != nil,
      chatTemplate: try header.text("tokenizer.chat_template"),
      templateTokens: named.compactMapValues { $0.map { tokens[$0] } })
  }

  /// How words are cut, and whether those that are tokens are not merged.
  private func preTokenizer() throws(CheckpointError) -> (
    TokenizerDefinition.PreTokenizer, ignoresMerges: Bool
  ) {
    switch try header.text("tokenizer.ggml.pre") ?? "default" {
    case "gpt-2", "default": return (.gpt2, false)
    case "smollm": return (.smollm, false)
    case "llama-bpe", "llama3", "llama-v3": return (.llama3, true)
    case "dbrx", "smaug-bpe": return (.llama3, false)
    case let name:
      throw CheckpointSource.unsupported("the pre-tokenizer \"\(name)\"", file: header.file)
    }
  }

  private func id(_ key: String, below count: Int) throws(CheckpointError) -> Int? {
    switch header.value(key) {
    case .none: return nil
    case .integer(let id) where (0..<count).contains(id): return id
    default: throw header.error("\(key) is not the id of a token")
    }
  }

  /// Control tokens are special; user-defined ones are found in any text.
  private func addedTokens(
    _ tokens: [String]
  ) throws(CheckpointError) -> [TokenizerDefinition.AddedToken] {
    let (control, userDefined) = (3, 4)
    guard let types = try integers("tokenizer.ggml.token_type") else { return [] }
    guard types.count == tokens.count else {
      throw header.error(
        "tokenizer.ggml.token_type has \(types.count) entries for \(tokens.count) tokens")
    }
    return zip(types, tokens).enumerated().compactMap { id, pair in
      guard pair.0 == control || pair.0 == userDefined, !pair.1.isEmpty else { return nil }
      return TokenizerDefinition.AddedToken(id: id, text: pair.1, isSpecial: pair.0 == control)
    }
  }

  /// A list of 32-bit integers; nil if there is none.
  private func integers(_ key: String) throws(CheckpointError) -> [Int]? {
    guard let value = header.metadata[key] else { return nil }
    guard case .array(let type, _, let range) = value, type == .int32 || type == .uint32 else {
      throw header.error("\(key) is no list of 32-bit integers")
    }
    return stride(from: range.lowerBound, to: range.upperBound, by: 4).map {
      Int(Int32(truncatingIfNeeded: header.storage.integer(at: $0, width: 4)))
    }
  }
}
