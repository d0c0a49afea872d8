import Checkpoints

/// SentencePiece's BPE: llama.cpp merges any neighbours whose texts together are a token, best score first, or as Gemma 4's
/// merges say.
extension GGUFTokenizerForm {
  private static let marks = [Normalization.replace(" ", with: Normalization.spaceMark)]

  static func sentencePiece(
    _ definition: TokenizerDefinition, in directory: HuggingFaceDirectory
  ) throws(CheckpointError) -> GGUFTokenizerForm {
    let (changes, cuts) = (definition.normalizations, definition.preTokenizer.cuts)
    var form = GGUFTokenizerForm(model: "llama")
    switch (changes, cuts) {
    case ([.prepend(Normalization.spaceMark)] + marks, []): form.addsSpacePrefix = true
    case ([], [.metaspace(.always, splits: false)]), ([], [.metaspace(.first, splits: false)]):
      form.addsSpacePrefix = true
      form.notes = [
        "llama.cpp puts a space before every text, and this model's tokenizer none before one that begins with a space"
      ]
    case (marks, []), ([], [.metaspace(.never, splits: false)]),
      (marks, PreTokenizer.lines.cuts):
      form.addsSpacePrefix = false
    default:
      throw refusal(
        definition, "normalizes or cuts text in a way that llama.cpp's SentencePiece does not know")
    }
    // llama.cpp cuts at line feeds where merges are given, and always begins such texts.
    let cutsLines = definition.preTokenizer == .lines
    let allowsMerges =
      changes == marks && definition.addsBeginToken
      && (cutsLines || (cuts.isEmpty && !definition.hasTokensAcrossLines))
    if allowsMerges, cutsLines { return merging }
    guard !cutsLines || !definition.hasTokensAcrossLines else {
      throw refusal(
        definition,
        "cuts text at line feeds, which llama.cpp does only where texts begin with a token")
    }
    guard definition.scores.isEmpty else {
      form.scores = singlePrecision(definition.scores)
      return form
    }
    try form.score(definition, in: directory, orElse: allowsMerges ? merging : nil)
    return form
  }

  /// The form that has merges.
  private static var merging: GGUFTokenizerForm {
    var form = GGUFTokenizerForm(model: "gemma4")
    form.preTokenizer = "gemma4"
    form.hasMerges = true
    return form
  }

  static func singlePrecision(_ scores: [Double]) -> [Float] {
    scores.map { $0.isFinite ? Float($0) : noScore }
  }
}

extension TokenizerDefinition {
  /// Whether a token has line feeds and anything else, so that words may reach over the ends of lines.
  fileprivate var hasTokensAcrossLines: Bool {
    tokens.indices.contains { id in
      let text = tokens.bytes[tokens.byteRange(of: id)]
      let feeds = text.count { $0 == UInt8(ascii: "\n") }
      return feeds > 0 && feeds < text.count
    }
  }
}
