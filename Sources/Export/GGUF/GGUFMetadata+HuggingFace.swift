import JSON
import Checkpoints

/// Metadata made from a Hugging Face directory, key by key as llama.cpp's `convert_hf_to_gguf.py` makes it.
extension GGUFMetadata {
  init(of checkpoint: Checkpoint, in directory: HuggingFaceDirectory) throws(CheckpointError) {
    let model = checkpoint.description
    guard let blueprint = model.blueprint,
      let architecture = Architecture.named(model.architecture)
    else {
      throw CheckpointError(
        file: model.path,
        reason: "cannot be told in GGUF's words: "
          + (model.abilities.runningObstacle ?? "its architecture is not known"),
        hint: "make a GGUF file with llama.cpp's convert_hf_to_gguf.py first, and open that")
    }
    self.init()
    set("general.architecture", .string(architecture.ggufName))
    set("general.type", .string("model"))
    if let settings = try directory.json("generation_config.json") { setSampling(settings) }
    let tokenizer = try checkpoint.tokenizerDefinition()
    setName(of: model, tokenizer)
    set("general.size_label", .string(model.sizeLabel))
    try setArchitecture(of: model, blueprint, architecture)
    try setTokenizer(tokenizer, vocabularySize: model.vocabularySize, in: directory)
  }

  /// The model's name, unless llama.cpp concludes from it that there are tokens which there are not, and does not load the file.
  private mutating func setName(of model: ModelDescription, _ tokenizer: TokenizerDefinition) {
    let title = Self.title(of: model.name)
    let isPhi3 = ["phi-3", "phi3"].contains { title.lowercased().contains($0) }
    let tokens = ["</s>", "<unk>", "<s>", "<|endoftext|>"]
    if isPhi3, let missing = tokens.first(where: { tokenizer.tokens.id(of: $0) == nil }) {
      notes.append(
        "the model's name is left out: llama.cpp loads none called Phi-3 without the token \(missing)"
      )
    } else {
      set("general.name", .string(title))
    }
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
