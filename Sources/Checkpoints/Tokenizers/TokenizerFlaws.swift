extension CheckpointError {
  static func outsideVocabulary(_ id: Int, _ size: Int, file: String) -> CheckpointError {
    CheckpointError(
      file: file, reason: "has a token \(id), but the model's vocabulary ends at \(size - 1)",
      hint: "check that the tokenizer belongs to these weights")
  }

  static func unsupportedTokenizer(_ what: String, file: String) -> CheckpointError {
    CheckpointError(
      file: file, reason: "has \(what), which is not supported",
      hint: "this version reads byte-level BPE, SentencePiece BPE and unigram tokenizers"
    )
  }
}
