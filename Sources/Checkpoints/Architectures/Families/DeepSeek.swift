extension Architecture {
  /// DeepSeek V2: latent attention, experts of the best groups, shared experts beside them.
  static let deepseekV2 = Architecture(
    modelTypes: ["deepseek_v2"], ggufName: "deepseek2", className: "DeepseekV2ForCausalLM",
    names: shared, standards: latent.merging(["n_shared_experts": .integer(2)]) { $1 },
    biases: .flagged(
      [
        "attention_bias": [.queryDown, .latent, .attentionOutput], "mlp_bias": [.gate, .up, .down],
      ], standard: false),
    hasLatentAttention: true, hasFurtherBlocks: true,
    ignoredKeys: ["norm_topk_prob", "rope_interleave"],
    feedForward: .experts(
      ExpertRule(
        router: .softmax, comparedInGroup: 1, groupingMethod: "group_limited_greedy",
        scalesWeights: true, hasShared: true, leadsDense: true, countKey: "n_routed_experts",
        readsRouterInGGUF: true, ggufRouter: .softmax)),
    pairing: .neighbours)

  /// DeepSeek V3 and R1, and Kimi K2: the same with experts weighed by sigmoids and chosen with biases.
  static let deepseekV3 = Architecture(
    modelTypes: ["deepseek_v3", "kimi_k2"], ggufName: "deepseek2",
    className: "DeepseekV3ForCausalLM", names: shared,
    standards: latent.merging([
      "n_shared_experts": .integer(1), "n_group": .integer(8), "topk_group": .integer(4),
      "routed_scaling_factor": .number(2.5), "first_k_dense_replace": .integer(3),
      "num_experts_per_tok": .integer(8),
    ]) { $1 },
    biases: .flagged(
      ["attention_bias": [.queryDown, .latent, .attentionOutput]], standard: false),
    hasLatentAttention: true, readsInterleaving: true, hasFurtherBlocks: true,
    feedForward: .experts(
      ExpertRule(
        router: .sigmoidOfChosen, normalizing: ("norm_topk_prob", true), hasChoiceBias: true,
        comparedInGroup: 2, scalesWeights: true, hasShared: true, leadsDense: true,
        countKey: "n_routed_experts", readsRouterInGGUF: true, ggufRouter: .softmax)),
    pairing: .neighbours)

  private static let latent: [String: SettingValue] = [
    "rms_norm_eps": .number(1e-6), "kv_lora_rank": .integer(512), "q_lora_rank": .integer(1536),
    "qk_nope_head_dim": .integer(128), "qk_rope_head_dim": .integer(64),
    "v_head_dim": .integer(128),
  ]
}
