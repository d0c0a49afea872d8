extension Architecture {
  /// Llama 1 to 3, and all that was made in its image: TinyLlama, SmolLM, Yi, distilled DeepSeek R1.
  static let llama = Architecture(
    modelTypes: ["llama"], ggufName: "llama", className: "LlamaForCausalLM",
    biases: .flagged(
      [
        "attention_bias": [.query, .key, .value, .attentionOutput],
        "mlp_bias": [.gate, .up, .down],
      ], standard: false),
    reordersRows: true)

  /// Mistral 7B, Nemo, Small; llama.cpp calls them llama, and knows nothing of the first one's window.
  static let mistral = Architecture(
    modelTypes: ["mistral"], ggufName: "llama", className: "MistralForCausalLM",
    standards: ["sliding_window": .integer(4096)], reordersRows: true, window: .all,
    ggufWindow: Architecture.WindowRule.none,
    // transformers takes Mistral with kinds of blocks for its Ministral.
    readsLayerTypes: true)

  /// Ministral 3: YaRN, and queries that grow with their position.
  static let ministral3 = Architecture(
    modelTypes: ["ministral3"], ggufName: "mistral3", className: "Ministral3ForCausalLM",
    standards: ["rms_norm_eps": .number(1e-5)], reordersRows: true, window: .all,
    ggufWindow: Architecture.WindowRule.none,
    growsQueries: true)

  static let mixtral = Architecture(
    modelTypes: ["mixtral"], ggufName: "llama", className: "MixtralForCausalLM",
    names: [
      .router: "block_sparse_moe.gate", .expertGate: "block_sparse_moe.experts.w1",
      .expertDown: "block_sparse_moe.experts.w2", .expertUp: "block_sparse_moe.experts.w3",
    ],
    standards: ["rms_norm_eps": .number(1e-5), "rope_theta": .number(1_000_000)],
    feedForward: .experts(
      ExpertRule(router: .softmaxOfChosen, usesDenseInnerSize: true)),
    reordersRows: true, window: .all, ggufWindow: Architecture.WindowRule.none)

  /// No RoPE in every fourth block.
  static let smollm3 = Architecture(
    modelTypes: ["smollm3"], ggufName: "smollm3", className: "SmolLM3ForCausalLM",
    standards: ["rope_theta": .number(2_000_000)],
    biases: .flagged(
      [
        "attention_bias": [.query, .key, .value, .attentionOutput],
        "mlp_bias": [.gate, .up, .down],
      ], standard: false),
    reordersRows: true, blockWithoutRope: 4, window: .switchedWithoutRope,
    ggufWindow: Architecture.WindowRule.none, readsLayerTypes: true, tiesByStandard: true)

  static let seedOss = Architecture(
    modelTypes: ["seed_oss"], ggufName: "seed_oss", className: "SeedOssForCausalLM",
    standards: ["attention_bias": .bool(true)],
    biases: .flagged(
      [
        "attention_bias": [.query, .key, .value], "attention_out_bias": [.attentionOutput],
        "mlp_bias": [.gate, .up, .down],
      ], standard: false))
}
