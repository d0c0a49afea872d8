/// Where a checkpoint's settings and tokenizer are read from.
package enum CheckpointSource: Sendable {
  case directory(HuggingFaceDirectory)
  case gguf(GGUFHeader)

  /// Reads the tokenizer of a model with `vocabularySize` embeddings, which bounds its ids.
  func definition(vocabularySize: Int) throws(CheckpointError) -> TokenizerDefinition {
    switch self {
    case .directory(let directory):
      try TokenizerFiles(directory, vocabularySize: vocabularySize).definition()
    case .gguf(let header):
      try GGUFTokenizer(header: header, vocabularySize: vocabularySize).definition()
    }
  }

  /// Whether a tokenizer's id is taken: some tokenizers have more tokens than their model has embeddings, which is no harm until
  /// a text becomes one of them.
  static func isBelievable(_ id: Int, _ vocabularySize: Int) -> Bool {
    (0..<vocabularySize + max(vocabularySize / 2, 1 << 16)).contains(id)
  }

  static func outsideVocabulary(_ id: Int, _ size: Int, file: String) -> CheckpointError {
    CheckpointError(
      file: file, reason: "has a token \(id), but the model's vocabulary ends at \(size - 1)",
      hint: "check that the tokenizer belongs to these weights")
  }

  static func unsupported(_ what: String, file: String) -> CheckpointError {
    CheckpointError(
      file: file, reason: "has \(what), which is not supported",
      hint: "this version reads byte-level BPE, SentencePiece BPE and unigram tokenizers"
    )
  }
}
