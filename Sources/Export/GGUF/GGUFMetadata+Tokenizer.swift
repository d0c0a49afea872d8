import Checkpoints

/// A byte-level BPE tokenizer as llama.cpp's converter writes it.
extension GGUFMetadata {
  /// What a token is to llama.cpp (`llama_token_type`).
  private enum TokenType: Int32 {
    case normal = 1
    case control = 3
    case userDefined = 4
    case unused = 5
  }

  private static let prefix = "tokenizer.ggml."

  mutating func setTokenizer(
    _ definition: TokenizerDefinition, vocabularySize: Int, in directory: HuggingFaceDirectory
  ) throws(CheckpointError) {
    set(Self.prefix + "model", .string("gpt2"))
    set(Self.prefix + "pre", .string(try Self.preTokenizer(of: definition)))
    setTokens(of: definition, vocabularySize: vocabularySize)
    let merges = definition.merges.map { "\($0.left.spelled) \($0.right.spelled)" }
    set(Self.prefix + "merges", .strings(merges))
    try setSpecialTokens(definition, in: directory)
    set(Self.prefix + "add_bos_token", .bool(definition.addsBeginToken))
    set(Self.prefix + "add_space_prefix", .bool(false))
    if let template = definition.chatTemplate { set("tokenizer.chat_template", .string(template)) }
  }

  /// llama.cpp's name of a way to cut text into words.
  ///
  /// The converter goes by a hash of what an encoded text comes to, which it knows for some published tokenizers; the pattern
  /// itself says as much for those that are read here.
  private static func preTokenizer(
    of definition: TokenizerDefinition
  ) throws(CheckpointError) -> String {
    switch (definition.preTokenizer, definition.ignoresMerges) {
    case (.gpt2, false): "gpt-2"
    case (.smollm, false): "smollm"
    case (.llama3, true): "llama-bpe"
    case (.llama3, false): "dbrx"
    case (.gpt2, true), (.smollm, true):
      throw CheckpointError(
        file: definition.source,
        reason: "ignores merges for words that are tokens, which llama.cpp does with Llama 3's "
          + "pattern only",
        hint: "export it as compressed-tensors")
    }
  }

  private mutating func setTokens(of definition: TokenizerDefinition, vocabularySize: Int) {
    var types = definition.tokens.map { $0 == nil ? TokenType.unused : .normal }
    for token in definition.addedTokens {
      types[token.id] = token.isSpecial || token.looksSpecial ? .control : .userDefined
    }
    var tokens = definition.tokens
    let missing = max(0, vocabularySize - tokens.count)
    tokens += Array(repeating: nil, count: missing)
    types += Array(repeating: .unused, count: missing)
    set(
      Self.prefix + "tokens",
      .strings(tokens.enumerated().map { id, text in text ?? "[PAD\(id)]" }))
    set(Self.prefix + "token_type", .int32s(types.map(\.rawValue)))
  }

  /// The ids of the tokens that tokenizer_config.json names, or config.json numbers.
  private mutating func setSpecialTokens(
    _ definition: TokenizerDefinition, in directory: HuggingFaceDirectory
  ) throws(CheckpointError) {
    let settings = try directory.json("tokenizer_config.json")?.root
    let config = try directory.json(HuggingFaceDirectory.config)?.root
    let kinds = [
      ("bos", "bos"), ("eos", "eos"), ("unk", "unknown"), ("sep", "seperator"),
      ("pad", "padding"), ("cls", "cls"), ("mask", "mask"),
    ]
    for (kind, key) in kinds {
      let entry = settings?["\(kind)_token"]
      let text = entry?.string ?? entry?.object?["content"]?.string
      let named = definition.addedTokens.first { $0.text == text }?.id
      guard let id = named ?? config?["\(kind)_token_id"]?.integer,
        definition.tokens.indices.contains(id)
      else { continue }
      set("\(Self.prefix)\(key)_token_id", id)
    }
  }
}

extension String {
  /// A half of a merge, in which only the space between the two may be one.
  fileprivate var spelled: String { String(map { $0 == " " ? "\u{120}" : $0 }) }
}

extension TokenizerDefinition.AddedToken {
  /// Whether the text is that of a control token, though the tokenizer does not say so.
  fileprivate var looksSpecial: Bool {
    let brackets = [("<|", "|>"), ("<｜", "｜>"), ("<unused", ">")]
    return ["<pad>", "<mask>", "<2mass>", "[@BOS@]"].contains(text)
      || brackets.contains { text.hasPrefix($0.0) && text.hasSuffix($0.1) }
  }
}
