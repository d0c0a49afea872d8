import JSON

/// The tokens that a GGUF file's metadata names, as Hugging Face's configurations name them.
package struct SpecialTokens: Sendable {
  /// `bos_token_id` and the like, those that there are.
  let ids: [JSONObject.Member]
  private let beginToken: Int?
  private let endTokens: [Int]
  private let unknownToken: Int?
  private let paddingToken: Int?

  package init(of checkpoint: Checkpoint, _ tokenizer: TokenizerDefinition) {
    func id(_ name: String) -> Int? {
      guard case .gguf(let header) = checkpoint.source,
        case .integer(let id) = header.value("tokenizer.ggml.\(name)_token_id"),
        tokenizer.tokens.indices.contains(id)
      else { return nil }
      return id
    }
    let first = id("eos")
    beginToken = tokenizer.beginToken
    endTokens =
      (first.map { [$0] } ?? []) + tokenizer.endTokens.filter { $0 != first }.sorted()
    unknownToken = id("unknown")
    paddingToken = id("padding")
    let end: JSONValue? =
      endTokens.count > 1
      ? .array(endTokens.map { .integer($0) }) : endTokens.first.map { .integer($0) }
    let values: [(String, JSONValue?)] = [
      ("bos_token_id", beginToken.map { .integer($0) }), ("eos_token_id", end),
      ("pad_token_id", paddingToken.map { .integer($0) }),
    ]
    ids = values.compactMap { name, value in
      value.map { JSONObject.Member(name: name, value: $0) }
    }
  }

  /// generation_config.json.
  package var generationConfig: JSONObject { JSONObject(members: ids) }

  /// tokenizer_config.json.
  package func tokenizerConfig(_ tokenizer: TokenizerDefinition, contextLength: Int) -> JSONObject {
    func text(_ id: Int?) -> JSONValue? {
      id.flatMap { tokenizer.tokens[$0] }.map { .string($0) }
    }
    var config = JSONObject(members: [])
    config["tokenizer_class"] = "PreTrainedTokenizerFast"
    config["bos_token"] = text(beginToken)
    config["eos_token"] = text(endTokens.first)
    config["unk_token"] = text(unknownToken)
    config["pad_token"] = text(paddingToken)
    config["add_bos_token"] = .bool(tokenizer.addsBeginToken)
    config["clean_up_tokenization_spaces"] = false
    config["model_max_length"] = .integer(contextLength)
    config["chat_template"] = tokenizer.chatTemplate.map { .string($0) }
    return config
  }
}
