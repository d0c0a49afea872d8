import JSON

/// Reads the tokenizer of a Hugging Face directory: tokenizer.json and the configurations beside it.
struct TokenizerFiles {
  let directory: HuggingFaceDirectory
  private let vocabularySize: Int
  /// tokenizer.json but for its long lists.
  let tokenizer: JSONFile
  private let lists: TokenizerLists

  init(_ directory: HuggingFaceDirectory, vocabularySize: Int) throws(CheckpointError) {
    guard directory.contains("tokenizer.json") else {
      throw CheckpointError(
        file: directory.path, reason: "holds no tokenizer.json",
        hint: "save the tokenizer again with transformers, which writes one")
    }
    self.directory = directory
    self.vocabularySize = vocabularySize
    (lists, tokenizer) = try TokenizerLists.read(directory.filePath("tokenizer.json"))
  }

  func definition() throws(CheckpointError) -> TokenizerDefinition {
    guard let model = try tokenizer.section("model") else {
      throw tokenizer.error("model is missing")
    }
    let (preTokenizer, writesBytes) = try preTokenizer()
    var definition = TokenizerDefinition(
      source: tokenizer.file, tokens: [], preTokenizer: preTokenizer)
    definition.normalizations = try normalizations(try tokenizer.section("normalizer"))
    definition.addedTokens = try addedTokens()
    switch try model.text("type") ?? "BPE" {
    case "BPE":
      definition.model = writesBytes ? .bytePairs : .sentencePiece
      try readPairs(model, into: &definition)
    case "Unigram":
      definition.model = .unigram
      try readUnigram(model, into: &definition)
    case let type:
      throw CheckpointError.unsupportedTokenizer("a tokenizer of type \(type)", file: model.file)
    }
    definition.stripsFirstSpace = try stripsFirstSpace()
    try addTokensOfOtherFiles(to: &definition)
    try readSpecialTokens(into: &definition)
    return definition
  }

  private func readPairs(
    _ model: JSONFile, into definition: inout TokenizerDefinition
  ) throws(CheckpointError) {
    for key in ["continuing_subword_prefix", "end_of_word_suffix"] {
      guard (try model.text(key) ?? "").isEmpty else {
        throw CheckpointError.unsupportedTokenizer("a tokenizer with \(key)", file: model.file)
      }
    }
    if let share = model.root["dropout"]?.double, share != 0 {
      throw CheckpointError.unsupportedTokenizer(
        "a tokenizer that leaves out merges at random (dropout \(share))", file: model.file)
    }
    definition.tokens = try vocabulary(model, definition)
    definition.merges = try merges(model, definition.tokens)
    definition.ignoresMerges = try model.flag("ignore_merges") ?? false
    definition.fallsBackToBytes = try model.flag("byte_fallback") ?? false
    definition.fusesUnknown = try model.flag("fuse_unk") ?? false
    definition.unknownToken = try model.text("unk_token").flatMap { definition.tokens.id(of: $0) }
  }

  private func readUnigram(
    _ model: JSONFile, into definition: inout TokenizerDefinition
  ) throws(CheckpointError) {
    guard let entries = model.root["vocab"]?.array else {
      throw model.error("model.vocab is missing")
    }
    var texts: [String] = []
    for (id, entry) in entries.enumerated() {
      guard let parts = entry.array, parts.count == 2, let text = parts[0].string,
        let score = parts[1].double, !score.isNaN
      else { throw model.error("model.vocab has an entry that is not a token and its score") }
      try check(id)
      texts.append(text)
      definition.scores.append(score)
    }
    definition.tokens = table(texts, definition)
    let missing = definition.tokens.count - definition.scores.count
    definition.scores += Array(repeating: -.infinity, count: missing)
    definition.fallsBackToBytes = try model.flag("byte_fallback") ?? false
    definition.fusesUnknown = true
    definition.unknownToken = model.root["unk_id"]?.integer
    if let id = definition.unknownToken, !definition.tokens.indices.contains(id) {
      throw model.error("model.unk_id is \(id), which is no token")
    }
    for id in definition.unspokenTokens { definition.scores[id] = -.infinity }
  }

  /// The vocabulary with the added tokens, which may stand for tokens of the model, in it.
  private func table(_ texts: [String], _ definition: TokenizerDefinition) -> TokenTable {
    var texts = texts
    for token in definition.addedTokens {
      if token.id >= texts.count { texts += repeatElement("", count: token.id + 1 - texts.count) }
      texts[token.id] = token.text
    }
    return TokenTable(texts)
  }

  /// The vocabulary of a model with merges.
  private func vocabulary(
    _ model: JSONFile, _ definition: TokenizerDefinition
  ) throws(CheckpointError) -> TokenTable {
    guard lists.hasVocabulary else { throw model.error("model.vocab is missing") }
    var texts = TokenTexts()
    var bytes: [UInt8] = []
    try lists.forEachToken(&bytes) { (range, id) throws(CheckpointError) in
      try check(id)
      guard texts.set(id, range) else {
        throw model.error("model.vocab gives two tokens the id \(id)")
      }
    }
    for token in definition.addedTokens {
      let start = bytes.count
      bytes += token.text.utf8
      texts.replace(token.id, start..<bytes.count)
    }
    guard String(validating: bytes, as: UTF8.self) != nil else {
      throw model.error("model.vocab has text that is not valid UTF-8")
    }
    let table = texts.table(of: bytes)
    if let text = table.repeatedText {
      throw model.error("the vocabulary has \"\(text)\" twice")
    }
    return table
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

  func check(_ id: Int) throws(CheckpointError) {
    guard CheckpointError.isBelievable(id, vocabularySize) else {
      throw CheckpointError.outsideVocabulary(id, vocabularySize, file: tokenizer.file)
    }
  }

  private func merges(
    _ model: JSONFile, _ tokens: TokenTable
  ) throws(CheckpointError) -> [TokenizerDefinition.Merge] {
    guard lists.hasMerges else { throw model.error("model.merges is missing") }
    var merges: [TokenizerDefinition.Merge] = []
    try lists.forEachMerge { (text, middle) throws(CheckpointError) in
      guard let merge = tokens.merge(of: 0..<middle, and: middle..<text.count, in: text) else {
        let halves = [text[..<middle], text[middle...]].map {
          "\"\(String(decoding: $0, as: UTF8.self))\""
        }
        throw model.error(
          "model.merges names a token that is not in the vocabulary"
            + " (\(halves.joined(separator: " and ")), the merge \(merges.count))")
      }
      merges.append(merge)
    }
    return merges
  }
}

extension TokenizerDefinition {
  /// Tokens that no text becomes: the control tokens, the unknown one, those that write a byte.
  var unspokenTokens: [Int] {
    let bytes = tokens.indices.filter {
      Self.byte(of: tokens.bytes[tokens.byteRange(of: $0)]) != nil
    }
    return addedTokens.filter(\.isSpecial).map(\.id) + [unknownToken].compactMap(\.self) + bytes
  }
}

/// Where the texts of tokens are, by id.
private struct TokenTexts {
  private var ranges: [Range<Int>] = []

  /// Says where a text is; false if the id has one.
  mutating func set(_ id: Int, _ range: Range<Int>) -> Bool {
    if id == ranges.count {
      ranges.append(range)
      return true
    }
    guard id >= ranges.count || ranges[id].isEmpty else { return false }
    replace(id, range)
    return true
  }

  mutating func replace(_ id: Int, _ range: Range<Int>) {
    if id >= ranges.count { ranges += repeatElement(0..<0, count: id + 1 - ranges.count) }
    ranges[id] = range
  }

  func table(of bytes: [UInt8]) -> TokenTable {
    var table = TokenTable()
    table.reserveCapacity(tokens: ranges.count, bytes: bytes.count)
    for range in ranges { table.append(bytes[range]) }
    table.buildIndex()
    return table
  }
}
