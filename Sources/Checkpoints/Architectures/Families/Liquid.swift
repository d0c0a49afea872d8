extension Architecture {
  /// LFM2 and LFM2.5: gated short convolutions, with attention in some of the blocks.
  static let lfm2 = Architecture(
    modelTypes: ["lfm2"], ggufName: "lfm2", className: "Lfm2ForCausalLM", names: liquidNames,
    ggufNames: liquidGGUFNames, standards: liquidStandards,
    refusedInGGUF: ["attention.sliding_window"], epsilonKey: "norm_eps", queryKeyNorm: .perHead,
    hasConvolutions: true, adjustsInnerSize: true, ggufWindow: Architecture.WindowRule.none,
    tiesByStandard: true)

  /// The same with experts, weighed by sigmoids and chosen with biases.
  static let lfm2Moe = Architecture(
    modelTypes: ["lfm2_moe"], ggufName: "lfm2moe", className: "Lfm2MoeForCausalLM",
    names: liquidNames, ggufNames: liquidGGUFNames, standards: liquidStandards,
    refusedInGGUF: ["attention.sliding_window"], epsilonKey: "norm_eps", queryKeyNorm: .perHead,
    hasConvolutions: true,
    feedForward: .experts(
      ExpertRule(
        router: .sigmoidOfChosen, normalizing: ("norm_topk_prob", true), hasChoiceBias: true,
        leadsDense: true, leadingKey: "num_dense_layers")),
    ggufWindow: Architecture.WindowRule.none, tiesByStandard: true)

  private static let liquidNames: [Part: String] = [
    .finalNorm: "embedding_norm", .attentionNorm: "operator_norm", .feedForwardNorm: "ffn_norm",
    .attentionOutput: "self_attn.out_proj", .queryNorm: "self_attn.q_layernorm",
    .keyNorm: "self_attn.k_layernorm", .gate: "feed_forward.w1", .up: "feed_forward.w3",
    .down: "feed_forward.w2", .router: "feed_forward.gate",
    .choiceBias: "feed_forward.expert_bias", .expertGate: "feed_forward.experts.w1",
    .expertUp: "feed_forward.experts.w3", .expertDown: "feed_forward.experts.w2",
  ]
  /// llama.cpp names the last norm by the word of transformers for it.
  private static let liquidGGUFNames: [Part: String] = [.finalNorm: "token_embd_norm"]
  private static let liquidStandards: [String: SettingValue] = [
    "norm_eps": .number(1e-5), "conv_L_cache": .integer(3), "rope_theta": .number(1_000_000),
    "num_key_value_heads": .integer(8), "num_dense_layers": .integer(2),
    "block_multiple_of": .integer(256), "block_ffn_dim_multiplier": .number(1),
  ]
}
