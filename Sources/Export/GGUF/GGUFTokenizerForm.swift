import Checkpoints
import Tokenization

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
  /// What llama.cpp may cut otherwise: a sentence each.
  var notes: [String] = []

  /// The score of a token that no merge makes.
  static let noScore: Float = -1e4

  /// The form of a tokenizer whose directory may hold SentencePiece's own file.
  init(
    _ definition: TokenizerDefinition, in directory: HuggingFaceDirectory
  ) throws(CheckpointError) {
    switch definition.model {
    case .bytePairs: self = try Self.bytePairs(definition)
    case .sentencePiece: self = try Self.sentencePiece(definition, in: directory)
    case .unigram: self = try Self.unigram(definition)
    }
  }

  init(model: String) { self.model = model }

  static func refusal(_ definition: TokenizerDefinition, _ reason: String) -> CheckpointError {
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
    let alike = same.first { $0.ignoresMerges == definition.ignoresMerges }
    guard let known = alike ?? same.first else {
      throw refusal(
        definition, "cuts text into words in a way that llama.cpp has no name for")
    }
    var form = GGUFTokenizerForm(model: "gpt2")
    form.preTokenizer = known.name
    form.hasMerges = true
    if alike == nil { form.notes = try notesOnWholeWords(of: definition) }
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
