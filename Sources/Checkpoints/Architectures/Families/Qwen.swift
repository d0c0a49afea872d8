extension Architecture {
  /// Qwen 1.5 to 2.5, Coder, and R1's distillates: biases on q, k and v.
  static let qwen2 = Architecture(
    modelTypes: ["qwen2"], ggufName: "qwen2", className: "Qwen2ForCausalLM",
    standards: ["sliding_window": .integer(4096)],
    biases: .always([.query, .key, .value]), window: .switched,
    ggufWindow: Architecture.WindowRule.none, readsLayerTypes: true)

  /// Every head's queries and keys are normalised.
  static let qwen3 = Architecture(
    modelTypes: ["qwen3"], ggufName: "qwen3", className: "Qwen3ForCausalLM",
    standards: ["sliding_window": .integer(4096)], queryKeyNorm: .perHead,
    biases: .flagged(
      ["attention_bias": [.query, .key, .value, .attentionOutput]], standard: false),
    window: .switched, ggufWindow: Architecture.WindowRule.none, readsLayerTypes: true)

  static let qwen2Moe = Architecture(
    modelTypes: ["qwen2_moe"], ggufName: "qwen2moe", className: "Qwen2MoeForCausalLM",
    standards: ["sliding_window": .integer(4096)],
    biases: .flagged(["qkv_bias": [.query, .key, .value]], standard: true),
    feedForward: .experts(
      ExpertRule(
        router: .softmax, normalizing: ("norm_topk_prob", false), hasWeighedShared: true)),
    window: .switchedForEveryOther, ggufWindow: Architecture.WindowRule.none,
    readsLayerTypes: true)

  static let qwen3Moe = Architecture(
    modelTypes: ["qwen3_moe"], ggufName: "qwen3moe", className: "Qwen3MoeForCausalLM",
    standards: ["sliding_window": .integer(4096)], queryKeyNorm: .perHead,
    biases: .flagged(
      ["attention_bias": [.query, .key, .value, .attentionOutput]], standard: false),
    feedForward: .experts(
      ExpertRule(router: .softmaxOfChosen, normalizing: ("norm_topk_prob", false))),
    window: .switchedForAll, ggufWindow: Architecture.WindowRule.none)
}
