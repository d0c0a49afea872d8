/// Reads the tokenizer of a Hugging Face directory: tokenizer.json and the configurations beside it.
struct TokenizerFiles {
  let directory: HuggingFaceDirectory
  private let vocabularySize: Int
  let tokenizer: JSONFile

  init(_ directory: HuggingFaceDirectory, vocabularySize: Int) throws(CheckpointError) {
    guard let tokenizer = try directory.json("tokenizer.json") else {
      throw CheckpointError(
        file: directory.path, reason: "holds no tokenizer.json",
        hint: "save the tokenizer again with transformers, which writes one")
    }
    self.directory = directory
    self.vocabularySize = vocabularySize
    self.tokenizer = tokenizer
  }

  func definition() throws(CheckpointError) -> TokenizerDefinition {
    guard let model = try tokenizer.section("model") else {
      throw tokenizer.error("model is missing")
    }
    try checkModel(model)
    try checkNormalizer()
    let addedTokens = try addedTokens()
    var definition = TokenizerDefinition(
      source: tokenizer.file, tokens: try vocabulary(model, addedTokens),
      merges: try merges(model), preTokenizer: try preTokenizer(),
      ignoresMerges: try model.flag("ignore_merges") ?? false, addedTokens: addedTokens)
    try readSpecialTokens(into: &definition)
    return definition
  }

  private func checkModel(_ model: JSONFile) throws(CheckpointError) {
    let type = try model.text("type") ?? "BPE"
    guard type == "BPE" else {
      throw CheckpointSource.unsupported("a tokenizer of type \(type)", file: model.file)
    }
    guard try model.flag("byte_fallback") != true else {
      throw CheckpointSource.unsupported("a SentencePiece tokenizer", file: model.file)
    }
    for key in ["continuing_subword_prefix", "end_of_word_suffix"] {
      guard (try model.text(key) ?? "").isEmpty else {
        throw CheckpointSource.unsupported("a tokenizer with \(key)", file: model.file)
      }
    }
  }

  private func checkNormalizer() throws(CheckpointError) {
    guard let normalizer = try tokenizer.section("normalizer") else { return }
    let type = try normalizer.text("type") ?? "unknown"
    guard type == "Sequence", normalizer.root["normalizers"]?.array?.isEmpty == true else {
      throw CheckpointSource.unsupported("a normalizer of type \(type)", file: tokenizer.file)
    }
  }

  private func addedTokens() throws(CheckpointError) -> [TokenizerDefinition.AddedToken] {
    var tokens: [TokenizerDefinition.AddedToken] = []
    for value in tokenizer.root["added_tokens"]?.array ?? [] {
      guard let fields = value.object, let id = fields["id"]?.integer,
        let text = fields["content"]?.string, !text.isEmpty
      else { throw tokenizer.error("an added token lacks its id or content") }
      try check(id)
      let isSpecial = fields["special"]?.bool ?? false
      tokens.append(
        TokenizerDefinition.AddedToken(
          id: id, text: text, isSpecial: isSpecial, stripsLeft: fields["lstrip"]?.bool ?? false,
          stripsRight: fields["rstrip"]?.bool ?? false,
          isSingleWord: fields["single_word"]?.bool ?? false,
          isNormalized: fields["normalized"]?.bool ?? !isSpecial))
    }
    return tokens
  }

  private func check(_ id: Int) throws(CheckpointError) {
    guard (0..<vocabularySize).contains(id) else {
      throw CheckpointSource.outsideVocabulary(id, vocabularySize, file: tokenizer.file)
    }
  }

  private func vocabulary(
    _ model: JSONFile, _ addedTokens: [TokenizerDefinition.AddedToken]
  ) throws(CheckpointError) -> [String?] {
    guard let vocabulary = model.root["vocab"]?.object else {
      throw model.error("model.vocab is missing")
    }
    var tokens: [String?] = []
    func set(_ id: Int, _ text: String) {
      if id >= tokens.count {
        tokens += Array(repeating: nil, count: id + 1 - tokens.count)
      }
      tokens[id] = text
    }
    for member in vocabulary.members {
      guard let id = member.value.integer else {
        throw model.error("model.vocab gives \"\(member.name)\" no id")
      }
      try check(id)
      guard id >= tokens.count || tokens[id] == nil else {
        throw model.error("model.vocab gives two tokens the id \(id)")
      }
      set(id, member.name)
    }
    for token in addedTokens { set(token.id, token.text) }
    return tokens
  }

  /// Merges as the two layouts in use have them: `"a b"`, or `["a", "b"]`.
  private func merges(_ model: JSONFile) throws(CheckpointError) -> [TokenizerDefinition.Merge] {
    guard let values = model.root["merges"]?.array else {
      throw model.error("model.merges is missing")
    }
    var merges: [TokenizerDefinition.Merge] = []
    for value in values {
      let parts = value.array?.compactMap(\.string)
      if let parts, parts.count == 2 {
        merges.append(TokenizerDefinition.Merge(left: parts[0], right: parts[1]))
      } else if let merge = value.string.flatMap(TokenizerDefinition.Merge.init(spaced:)) {
        merges.append(merge)
      } else {
        throw model.error("model.merges has an entry that is not two tokens")
      }
    }
    return merges
  }
}

extension TokenizerDefinition.Merge {
  /// The two tokens in `text`, which a space parts; nil if there are not two.
  init?(spaced text: String) {
    let parts = text.split(separator: " ", omittingEmptySubsequences: false)
    guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else { return nil }
    self.init(left: String(parts[0]), right: String(parts[1]))
  }
}

// MARK: - Pre-tokenizer

extension TokenizerFiles {
  private func preTokenizer() throws(CheckpointError) -> TokenizerDefinition.PreTokenizer {
    guard let root = try tokenizer.section("pre_tokenizer") else {
      throw CheckpointSource.unsupported("no pre-tokenizer", file: tokenizer.file)
    }
    let steps =
      root.root["pretokenizers"]?.array?.map {
        JSONFile(file: root.file, root: $0.object ?? .empty)
      }
      ?? [root]
    let types = steps.map { $0.root["type"]?.string ?? "unknown" }
    guard types.last == "ByteLevel", let byteLevel = steps.last,
      try byteLevel.flag("add_prefix_space") != true
    else { throw unsupportedPreTokenizer(types) }
    let usesPattern = try byteLevel.flag("use_regex") ?? true
    switch (types.dropLast(), usesPattern) {
    case ([], true): return .gpt2
    case (["Digits"], true) where try steps[0].flag("individual_digits") == true: return .smollm
    case (["Split"], false) where Self.isLlama3(steps[0].root): return .llama3
    default: throw unsupportedPreTokenizer(types)
    }
  }

  private func unsupportedPreTokenizer(_ types: [String]) -> CheckpointError {
    let name = types.joined(separator: ", ")
    return CheckpointSource.unsupported("the pre-tokenizer \(name)", file: tokenizer.file)
  }

  private static func isLlama3(_ split: JSONObject) -> Bool {
    split["pattern"]?.object?["Regex"]?.string == TokenizerDefinition.PreTokenizer.llama3Pattern
      && split["behavior"]?.string == "Isolated" && split["invert"]?.bool != true
  }
}
