import Checkpoints

/// Metadata made from a Hugging Face directory, key by key as llama.cpp's `convert_hf_to_gguf.py` makes it for Llama.
extension GGUFMetadata {
  init(of checkpoint: Checkpoint, in directory: HuggingFaceDirectory) throws(CheckpointError) {
    let model = checkpoint.description
    self.init()
    set("general.architecture", .string("llama"))
    set("general.type", .string("model"))
    if let settings = try directory.json("generation_config.json") { setSampling(settings) }
    set("general.name", .string(Self.title(of: model.name)))
    set("general.size_label", .string(model.sizeLabel))
    setSizes(of: model)
    try setTokenizer(
      checkpoint.tokenizerDefinition(), vocabularySize: model.vocabularySize, in: directory)
  }

  private mutating func setSizes(of model: ModelDescription) {
    set("llama.block_count", model.blockCount)
    set("llama.context_length", model.contextLength)
    set("llama.embedding_length", model.hiddenSize)
    set("llama.feed_forward_length", model.intermediateSize)
    set("llama.attention.head_count", model.headCount)
    set("llama.attention.head_count_kv", model.keyValueHeadCount)
    set("llama.rope.freq_base", .float32(Float(model.ropeTheta)))
    set("llama.attention.layer_norm_rms_epsilon", .float32(Float(model.normEpsilon)))
    set("llama.attention.key_length", model.headSize)
    set("llama.attention.value_length", model.headSize)
    set("llama.vocab_size", model.vocabularySize)
    set("llama.rope.dimension_count", model.headSize)
  }

  /// How the model's makers want tokens to be drawn.
  private mutating func setSampling(_ settings: JSONFile) {
    let prefix = "general.sampling."
    if case .integer(let count) = settings.value("top_k") {
      set(prefix + "top_k", .int32(Int32(clamping: count)))
    }
    let numbers = [
      ("top_p", "top_p"), ("min_p", "min_p"), ("temperature", "temp"),
      ("repetition_penalty", "penalty_repeat"),
    ]
    for (name, key) in numbers {
      switch settings.value(name) {
      case .integer(let value): set(prefix + key, .float32(Float(value)))
      case .number(let value): set(prefix + key, .float32(Float(value)))
      default: continue
      }
    }
  }

  /// A directory's name as a title: `smollm2-135M` becomes `Smollm2 135M`.
  private static func title(of name: String) -> String {
    let words = name.split { $0 == "-" || $0.isWhitespace }.map { word in
      let isVersion = word.first?.isNumber == true || word.wholeMatch(of: /v\d+(\.\d+)*/) != nil
      return isVersion || word.lowercased() != word
        ? String(word) : word.prefix(1).uppercased() + word.dropFirst()
    }
    return words.joined(separator: " ")
  }
}
