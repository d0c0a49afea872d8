import JSON

/// What generation_config.json asks of answers beyond temperature, top-k and top-p, which whoever asks chooses.
///
/// Source: the logits processors that transformers' `generate` puts together from it.
enum GenerationKeys {
  /// Keys that change which token is chosen, with the value at which they change nothing.
  private static let processors: [(key: String, neutral: Double)] = [
    ("repetition_penalty", 1), ("encoder_repetition_penalty", 1), ("no_repeat_ngram_size", 0),
    ("encoder_no_repeat_ngram_size", 0), ("num_beams", 1), ("min_length", 0), ("min_new_tokens", 0),
    ("penalty_alpha", 0), ("guidance_scale", 1), ("diversity_penalty", 0),
  ]
  /// The same with lists.
  private static let lists = [
    "suppress_tokens", "begin_suppress_tokens", "bad_words_ids", "force_words_ids", "sequence_bias",
    "exponential_decay_length_penalty", "forced_bos_token_id", "forced_eos_token_id",
  ]

  /// What answers are drawn without: a sentence; nil for nothing.
  static func note(on config: JSONFile) -> String? {
    var asked: [String] = []
    for (key, neutral) in processors {
      guard let value = config.root[key]?.double, value != neutral else { continue }
      asked.append("\(key) \(config.value(key)?.text ?? "")")
    }
    for key in lists {
      switch config.root[key] {
      case .none, .null: continue
      case .array(let values) where values.isEmpty: continue
      default: asked.append(key)
      }
    }
    guard !asked.isEmpty else { return nil }
    return
      "generation_config.json asks for \(asked.joined(separator: ", ")), without which answers are drawn here"
  }
}
