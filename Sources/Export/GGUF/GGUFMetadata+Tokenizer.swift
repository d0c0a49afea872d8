import JSON
import Checkpoints

/// A tokenizer as llama.cpp's converter writes it.
extension GGUFMetadata {
  private static let prefix = "tokenizer.ggml."

  mutating func setTokenizer(
    _ definition: TokenizerDefinition, vocabularySize: Int, in directory: HuggingFaceDirectory
  ) throws(CheckpointError) {
    let form = try GGUFTokenizerForm(definition, in: directory)
    notes += form.notes
    set(Self.prefix + "model", .string(form.model))
    set(Self.prefix + "pre", .string(form.preTokenizer))
    setTokens(of: definition, vocabularySize: vocabularySize, form)
    if form.hasMerges { set(Self.prefix + "merges", .strings(definition.spelledMerges)) }
    try setSpecialTokens(definition, in: directory)
    set(Self.prefix + "add_bos_token", .bool(definition.addsBeginToken))
    if definition.closingToken != nil { set(Self.prefix + "add_eos_token", .bool(true)) }
    set(Self.prefix + "add_space_prefix", .bool(form.addsSpacePrefix))
    if let removes = form.removesExtraSpaces {
      set(Self.prefix + "remove_extra_whitespaces", .bool(removes))
    }
    if let map = form.characterMap {
      set(Self.prefix + "precompiled_charsmap", .uint8s(map))
    }
    if let template = definition.chatTemplate { set("tokenizer.chat_template", .string(template)) }
  }

  private mutating func setTokens(
    of definition: TokenizerDefinition, vocabularySize: Int, _ form: GGUFTokenizerForm
  ) {
    let isSentencePiece = definition.model != .bytePairs
    var texts = Array(definition.tokens)
    var types = texts.map { text -> GGUFTokenType in
      guard let text else { return .unused }
      return isSentencePiece && TokenizerDefinition.byte(of: Array(text.utf8)) != nil
        ? .byte : .normal
    }
    if let unknown = definition.unknownToken, isSentencePiece, types.indices.contains(unknown) {
      types[unknown] = .unknown
    }
    for token in definition.addedTokens {
      let isControl = token.isSpecial || token.looksSpecial
      types[token.id] = isControl ? .control : .userDefined
      // SentencePiece's user-defined tokens are looked for in text whose spaces are spaces.
      if isSentencePiece, !isControl {
        texts[token.id] = token.text.replacing(Normalization.spaceMark, with: " ")
      }
    }
    let missing = max(0, vocabularySize - texts.count)
    texts += Array(repeating: nil, count: missing)
    types += Array(repeating: .unused, count: missing)
    set(
      Self.prefix + "tokens",
      .strings(texts.enumerated().map { id, text in text ?? "[PAD\(id)]" }))
    if let scores = form.scores {
      let padding = repeatElement(GGUFTokenizerForm.noScore, count: texts.count - scores.count)
      set(Self.prefix + "scores", .float32s(scores + padding))
    }
    set(Self.prefix + "token_type", .int32s(types.map(\.rawValue)))
  }

  /// The ids of the tokens that texts begin and end with, and of those that tokenizer_config.json names, or config.json
  /// numbers.
  private mutating func setSpecialTokens(
    _ definition: TokenizerDefinition, in directory: HuggingFaceDirectory
  ) throws(CheckpointError) {
    let config = try directory.json(HuggingFaceDirectory.config)?.root
    let kinds = [
      ("bos", "bos"), ("eos", "eos"), ("unk", "unknown"), ("sep", "seperator"),
      ("pad", "padding"), ("cls", "cls"), ("mask", "mask"),
    ]
    let own = [
      "bos": definition.beginToken, "eos": definition.closingToken,
      "unk": definition.unknownToken,
    ]
    for (kind, key) in kinds {
      let text = definition.templateTokens["\(kind)_token"]
      let named = definition.addedTokens.first { $0.text == text }?.id
      guard let id = (own[kind] ?? nil) ?? named ?? config?["\(kind)_token_id"]?.integer,
        definition.tokens.indices.contains(id)
      else { continue }
      set("\(Self.prefix)\(key)_token_id", id)
    }
  }
}

extension TokenizerDefinition {
  /// Merges as two texts with a space between, which is the only one.
  fileprivate var spelledMerges: [String] {
    merges.map { merge in
      [merge.left, merge.right].map { id in
        (tokens[Int(id)] ?? "").replacing(" ", with: "\u{120}")
      }.joined(separator: " ")
    }
  }
}

extension TokenizerDefinition.AddedToken {
  /// Whether the text is that of a control token, though the tokenizer does not say so.
  fileprivate var looksSpecial: Bool {
    let brackets = [("<|", "|>"), ("<｜", "｜>"), ("<unused", ">")]
    return ["<pad>", "<mask>", "<2mass>", "[@BOS@]"].contains(text)
      || brackets.contains { text.hasPrefix($0.0) && text.hasSuffix($0.1) }
  }
}
