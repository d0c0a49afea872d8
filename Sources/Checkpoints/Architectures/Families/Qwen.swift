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

  /// Qwen 3.5 to 3.8: a Gated DeltaNet in three of four blocks, gated attention in the fourth; norms weigh by 1 + w.
  static let qwen35 = Architecture(
    modelTypes: ["qwen3_5_text", "qwen3_5"], ggufName: "qwen35", className: "Qwen3_5ForCausalLM",
    ggufNames: hybridNames, standards: hybridStandards, normOffset: 1, queryKeyNorm: .perHead,
    biases: .flagged(
      ["attention_bias": [.query, .key, .value, .attentionOutput]], standard: false),
    gatesAttention: true, delta: DeltaRule(tilesHeads: true), turnsPartially: true)

  static let qwen35Moe = Architecture(
    modelTypes: ["qwen3_5_moe_text", "qwen3_5_moe"], ggufName: "qwen35moe",
    className: "Qwen3_5MoeForCausalLM", names: [.expertGateUp: "mlp.experts.gate_up_proj"],
    ggufNames: hybridNames, standards: hybridStandards, normOffset: 1, queryKeyNorm: .perHead,
    biases: .flagged(
      ["attention_bias": [.query, .key, .value, .attentionOutput]], standard: false),
    gatesAttention: true, delta: DeltaRule(tilesHeads: true),
    feedForward: .experts(ExpertRule(router: .softmaxOfChosen, hasWeighedShared: true)),
    turnsPartially: true)

  /// The first of them, whose linear blocks have their layers in fewer tensors.
  static let qwen3Next = Architecture(
    modelTypes: ["qwen3_next"], ggufName: "qwen3next", className: "Qwen3NextForCausalLM",
    names: [.expertGateUp: "mlp.experts.gate_up_proj"], ggufNames: hybridNames,
    standards: hybridStandards, normOffset: 1, queryKeyNorm: .perHead,
    biases: .flagged(
      ["attention_bias": [.query, .key, .value, .attentionOutput]], standard: false),
    gatesAttention: true, delta: DeltaRule(isFused: true),
    feedForward: .experts(
      ExpertRule(
        router: .softmaxOfChosen, normalizing: ("norm_topk_prob", true), hasWeighedShared: true)),
    turnsPartially: true)

  private static let hybridNames: [Part: String] = [.feedForwardNorm: "post_attention_norm"]
  private static let hybridStandards: [String: SettingValue] = [
    "head_dim": .integer(256), "partial_rotary_factor": .number(0.25),
    "linear_num_key_heads": .integer(16), "linear_num_value_heads": .integer(32),
    "linear_key_head_dim": .integer(128), "linear_value_head_dim": .integer(128),
    "linear_conv_kernel_dim": .integer(4),
  ]
}
