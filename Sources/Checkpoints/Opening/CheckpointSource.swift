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
}
