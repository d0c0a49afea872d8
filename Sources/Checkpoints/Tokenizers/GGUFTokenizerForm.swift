/// Which of llama.cpp's tokenizers a tokenizer is, and what its file has to say of it.
struct GGUFTokenizerForm {
  /// What `tokenizer.ggml.model` says.
  let model: String
  /// What `tokenizer.ggml.pre` says.
  var preTokenizer = "default"
  var hasMerges = false
  /// By token.
  var scores: [Float]?
  var addsSpacePrefix = false
  var removesExtraSpaces: Bool?
  var characterMap: [UInt8]?

  /// The score of a token that no merge makes.
  static let noScore: Float = -1e4

  private static let marks = [Normalization.replace(" ", with: Normalization.spaceMark)]

  init(_ definition: TokenizerDefinition) throws(CheckpointError) {
    switch definition.model {
    case .bytePairs: self = try Self.bytePairs(definition)
    case .sentencePiece: self = try Self.sentencePiece(definition)
    case .unigram: self = try Self.unigram(definition)
    }
  }

  private init(model: String) { self.model = model }

  private static func refusal(_ definition: TokenizerDefinition, _ reason: String)
    -> CheckpointError
  {
    CheckpointError(
      file: definition.source, reason: reason, hint: "export it as compressed-tensors")
  }

  /// llama.cpp names the ways to cut text into words.
  ///
  /// The converter goes by a hash of what an encoded text comes to, which it knows for some published tokenizers; the pattern
  /// itself says as much.
  private static func bytePairs(
    _ definition: TokenizerDefinition
  ) throws(CheckpointError) -> GGUFTokenizerForm {
    // The converter leaves Unicode's composition out: text is mostly composed as it is.
    guard definition.normalizations.allSatisfy({ $0 == .nfc }) else {
      throw refusal(
        definition, "normalizes text in a way that llama.cpp's byte-level BPE does not know")
    }
    let same = PreTokenizer.ggufNames.filter { $0.preTokenizer == definition.preTokenizer }
    guard let known = same.first(where: { $0.ignoresMerges == definition.ignoresMerges }) else {
      throw refusal(
        definition,
        same.isEmpty
          ? "cuts text into words in a way that llama.cpp has no name for"
          : definition.ignoresMerges
            ? "ignores merges for words that are tokens, which llama.cpp does not with this way to cut words"
            : "merges words that are tokens, which llama.cpp does not with this way to cut words")
    }
    var form = GGUFTokenizerForm(model: "gpt2")
    form.preTokenizer = known.name
    form.hasMerges = true
    return form
  }

  private static func sentencePiece(
    _ definition: TokenizerDefinition
  ) throws(CheckpointError) -> GGUFTokenizerForm {
    let (changes, cuts) = (definition.normalizations, definition.preTokenizer.cuts)
    let isPlain = changes == marks && (cuts.isEmpty || definition.preTokenizer == .lines)
    let addsSpace: Bool
    switch (changes, cuts) {
    case ([.prepend(Normalization.spaceMark)] + marks, []),
      ([], [.metaspace(.always, splits: false)]), ([], [.metaspace(.first, splits: false)]):
      addsSpace = true
    case (marks, []), ([], [.metaspace(.never, splits: false)]): addsSpace = false
    default:
      guard isPlain else {
        throw refusal(
          definition,
          "normalizes or cuts text in a way that llama.cpp's SentencePiece does not know")
      }
      addsSpace = false
    }
    if definition.preTokenizer != .lines {
      let scores = definition.scores.isEmpty ? definition.scoresOfMerges : definition.scores
      if let scores {
        var form = GGUFTokenizerForm(model: "llama")
        form.scores = scores.map { $0.isFinite ? Float($0) : noScore }
        form.addsSpacePrefix = addsSpace
        return form
      }
    }
    guard isPlain, definition.addsBeginToken else {
      throw refusal(
        definition, "has merges in an order that llama.cpp's scores of tokens cannot say")
    }
    var form = GGUFTokenizerForm(model: "gemma4")
    form.preTokenizer = "gemma4"
    form.hasMerges = true
    return form
  }

  private static func unigram(
    _ definition: TokenizerDefinition
  ) throws(CheckpointError) -> GGUFTokenizerForm {
    var form = GGUFTokenizerForm(model: "t5")
    if case .characterMap(let map) = definition.normalizations.first { form.characterMap = map }
    guard definition.normalizations.count == (form.characterMap == nil ? 0 : 1) else {
      throw refusal(
        definition, "normalizes text in a way that llama.cpp's unigram model does not know")
    }
    var cuts = definition.preTokenizer.cuts
    form.removesExtraSpaces = [.split(" +", .removed), .split(#"\s+"#, .removed)].contains(
      cuts.first)
    if form.removesExtraSpaces == true { cuts.removeFirst() }
    guard cuts.count == 1, case .metaspace(let spaces, _) = cuts[0] else {
      throw refusal(
        definition, "cuts text in a way that llama.cpp's unigram model does not know")
    }
    form.addsSpacePrefix = spaces != .never
    form.scores = definition.scores.map { $0.isFinite ? Float($0) : 0 }
    return form
  }
}
