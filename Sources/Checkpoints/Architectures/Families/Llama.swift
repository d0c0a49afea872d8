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
    reordersRows: true, window: .all, ggufWindow: Architecture.WindowRule.none)

  /// Ministral 3: YaRN, and queries that grow with their position.
  static let ministral3 = Architecture(
    modelTypes: ["ministral3"], ggufName: "mistral3", className: "Ministral3ForCausalLM",
    reordersRows: true, window: .all, ggufWindow: Architecture.WindowRule.none,
    growsQueries: true)

  static let mixtral = Architecture(
    modelTypes: ["mixtral"], ggufName: "llama", className: "MixtralForCausalLM",
    names: [
      .router: "block_sparse_moe.gate", .expertGate: "block_sparse_moe.experts.w1",
      .expertDown: "block_sparse_moe.experts.w2", .expertUp: "block_sparse_moe.experts.w3",
    ],
    feedForward: .experts(
      ExpertRule(router: .softmaxOfChosen, usesDenseInnerSize: true)),
    reordersRows: true, window: .all, ggufWindow: Architecture.WindowRule.none)

  /// No RoPE in every fourth block.
  static let smollm3 = Architecture(
    modelTypes: ["smollm3"], ggufName: "smollm3", className: "SmolLM3ForCausalLM",
    biases: .flagged(
      [
        "attention_bias": [.query, .key, .value, .attentionOutput],
        "mlp_bias": [.gate, .up, .down],
      ], standard: false),
    reordersRows: true, blockWithoutRope: 4, window: .switched,
    ggufWindow: Architecture.WindowRule.none, tiesByStandard: true)

  static let seedOss = Architecture(
    modelTypes: ["seed_oss"], ggufName: "seed_oss", className: "SeedOssForCausalLM",
    biases: .flagged(
      ["attention_bias": [.query, .key, .value], "attention_out_bias": [.attentionOutput]],
      standard: false))
}
