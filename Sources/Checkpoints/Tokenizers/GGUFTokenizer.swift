import Tensors

/// Reads the tokenizer in a GGUF file's metadata, with llama.cpp's defaults where the file says nothing.
struct GGUFTokenizer {
  let header: GGUFHeader
  let vocabularySize: Int

  /// What a file names the way to cut words that knows none.
  private static let unnamed = "default"

  /// What is taken for granted because the file does not say it.
  static func notes(on header: GGUFHeader) -> [String] {
    guard header.value("tokenizer.ggml.model") == .text("gpt2"),
      [nil, .text(unnamed)].contains(header.value("tokenizer.ggml.pre"))
    else { return [] }
    return [
      "the file does not say how text is cut into words (tokenizer.ggml.pre): it is cut as llama.cpp cuts then, and ids "
        + "may differ from those that the model was trained on"
    ]
  }

  func definition() throws(CheckpointError) -> TokenizerDefinition {
    var definition = TokenizerDefinition(source: header.file, tokens: [], preTokenizer: .whole)
    definition.tokens = try header.tokenTable("tokenizer.ggml.tokens")
    guard definition.tokens.count <= vocabularySize else {
      throw CheckpointError.outsideVocabulary(
        definition.tokens.count - 1, vocabularySize, file: header.file)
    }
    switch try header.text("tokenizer.ggml.model") ?? "left out" {
    case "gpt2": try readBytePairs(into: &definition)
    case "gemma4": try readGemma4(into: &definition)
    case "llama": try readSentencePiece(into: &definition)
    case "t5": try readUnigram(into: &definition)
    case let model:
      throw CheckpointError.unsupportedTokenizer("the tokenizer \"\(model)\"", file: header.file)
    }
    let types = try tokenTypes(of: definition)
    definition.addedTokens = addedTokens(types, definition.tokens)
    if definition.model != .bytePairs {
      definition.fallsBackToBytes = types.contains(.byte)
      try readScores(types, into: &definition)
    }
    definition.chatTemplate = try header.text("tokenizer.chat_template")
    return definition
  }

  // MARK: - Models

  private func readBytePairs(into definition: inout TokenizerDefinition) throws(CheckpointError) {
    definition.merges = try header.merges("tokenizer.ggml.merges", of: definition.tokens)
    guard let name = try header.text("tokenizer.ggml.pre"), name != Self.unnamed else {
      definition.preTokenizer = PreTokenizer.ggufDefault
      return try readEnds(into: &definition, begins: false)
    }
    guard let known = PreTokenizer.gguf(named: name) else {
      throw CheckpointError.unsupportedTokenizer("the pre-tokenizer \"\(name)\"", file: header.file)
    }
    definition.preTokenizer = known.preTokenizer
    definition.ignoresMerges = known.ignoresMerges
    try readEnds(into: &definition, begins: known.addsBeginToken)
  }

  /// BPE over characters with merges, cut at line feeds.
  private func readGemma4(into definition: inout TokenizerDefinition) throws(CheckpointError) {
    definition.model = .sentencePiece
    definition.merges = try header.merges("tokenizer.ggml.merges", of: definition.tokens)
    definition.normalizations = [.replace(" ", with: Normalization.spaceMark)]
    definition.preTokenizer = .lines
    // A run of line feeds that is a token has no merges.
    definition.ignoresMerges = true
    try readEnds(into: &definition, begins: true)
    definition.addsBeginToken = definition.beginToken != nil
  }

  private func readSentencePiece(
    into definition: inout TokenizerDefinition
  ) throws(CheckpointError) {
    definition.model = .sentencePiece
    definition.unknownToken = try id("unknown", standard: 0)
    let addsSpace = try header.flag("tokenizer.ggml.add_space_prefix") ?? true
    definition.normalizations =
      (addsSpace ? [.prepend(Normalization.spaceMark)] : [])
      + [.replace(" ", with: Normalization.spaceMark)]
    definition.stripsFirstSpace = addsSpace
    try readEnds(into: &definition, begins: true, standard: (begin: 1, end: 2))
  }

  private func readUnigram(into definition: inout TokenizerDefinition) throws(CheckpointError) {
    definition.model = .unigram
    definition.unknownToken = try id("unknown", standard: 2)
    definition.fusesUnknown = true
    if let map = try header.byteArray("tokenizer.ggml.precompiled_charsmap") {
      definition.normalizations = [.characterMap(map)]
    }
    let addsSpace = try header.flag("tokenizer.ggml.add_space_prefix") ?? false
    if try header.flag("tokenizer.ggml.remove_extra_whitespaces") ?? false {
      definition.preTokenizer = PreTokenizer([
        .split(" +", .removed), .metaspace(.always, splits: true),
      ])
    } else {
      definition.preTokenizer = PreTokenizer([
        .metaspace(addsSpace ? .first : .never, splits: false)
      ])
    }
    definition.stripsFirstSpace = addsSpace
    try readEnds(into: &definition, begins: false, closes: true, standard: (begin: nil, end: 1))
  }

  // MARK: - Special tokens

  private func readEnds(
    into definition: inout TokenizerDefinition, begins: Bool, closes: Bool = false,
    standard: (begin: Int?, end: Int?) = (nil, nil)
  ) throws(CheckpointError) {
    let endToken = try id("eos", standard: standard.end)
    let endOfTurn = try id("eot")
    definition.beginToken = try id("bos", standard: standard.begin)
    definition.endTokens = Set([endToken, endOfTurn].compactMap(\.self))
    let named = [
      "bos_token": definition.beginToken, "eos_token": endToken,
      "unk_token": try id("unknown", standard: definition.unknownToken),
      "pad_token": try id("padding"),
    ]
    for (name, id) in named {
      definition.templateTokens[name] = id.flatMap { definition.tokens[$0] }
    }
    let adds = try header.flag("tokenizer.ggml.add_bos_token") ?? begins
    definition.addsBeginToken = adds && definition.beginToken != nil
    let addsEnd = try header.flag("tokenizer.ggml.add_eos_token") ?? closes
    definition.closingToken = addsEnd ? endToken : nil
  }

  private func id(_ name: String, standard: Int? = nil) throws(CheckpointError) -> Int? {
    let key = "tokenizer.ggml.\(name)_token_id"
    switch header.value(key) {
    case .none: return standard.flatMap { (0..<vocabularySize).contains($0) ? $0 : nil }
    case .integer(let id) where (0..<vocabularySize).contains(id): return id
    default: throw header.error("\(key) is not the id of a token")
    }
  }

  private func tokenTypes(
    of definition: TokenizerDefinition
  ) throws(CheckpointError) -> [GGUFTokenType] {
    guard let numbers = try header.int32s("tokenizer.ggml.token_type") else {
      return Array(repeating: .normal, count: definition.tokens.count)
    }
    guard numbers.count == definition.tokens.count else {
      throw header.error(
        "tokenizer.ggml.token_type has \(numbers.count) entries for \(definition.tokens.count) tokens"
      )
    }
    return numbers.map { GGUFTokenType(rawValue: $0) ?? .normal }
  }

  /// Control tokens and the unknown one are special; user-defined ones are found in any text.
  private func addedTokens(
    _ types: [GGUFTokenType], _ tokens: TokenTable
  ) -> [TokenizerDefinition.AddedToken] {
    types.enumerated().compactMap { id, type in
      let isSpecial = type == .control || type == .unknown
      guard isSpecial || type == .userDefined, let text = tokens[id] else { return nil }
      return TokenizerDefinition.AddedToken(id: id, text: text, isSpecial: isSpecial)
    }
  }

  /// Scores of the tokens that text can become; the others weigh nothing.
  private func readScores(
    _ types: [GGUFTokenType], into definition: inout TokenizerDefinition
  ) throws(CheckpointError) {
    guard definition.merges.isEmpty else { return }
    guard let scores = try header.float32s("tokenizer.ggml.scores"),
      scores.count == definition.tokens.count
    else {
      throw header.error("tokenizer.ggml.scores does not have one number for each token")
    }
    definition.scores = zip(scores, types).map { score, type in
      switch type {
      case .normal, .unused: Double(score)
      case .userDefined: definition.model == .unigram ? 0 : Double(score)
      case .unknown, .control, .byte: -.infinity
      }
    }
  }
}
