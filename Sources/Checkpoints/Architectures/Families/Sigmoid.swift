extension Architecture {
  /// GLM-4.5 to 4.7: experts weighed by sigmoids and chosen with biases, half of each head turns.
  static let glm4Moe = Architecture(
    modelTypes: ["glm4_moe"], ggufName: "glm4moe", className: "Glm4MoeForCausalLM",
    names: shared, ggufNames: [.feedForwardNorm: "post_attention_norm"],
    standards: [
      "rms_norm_eps": .number(1e-5), "partial_rotary_factor": .number(0.5),
      "n_shared_experts": .integer(1), "first_k_dense_replace": .integer(1),
    ],
    refusedInGGUF: ["rope.dimension_sections"],
    queryKeyNorm: .perHead, queryKeyNormFlag: "use_qk_norm",
    biases: .flagged(["attention_bias": [.query, .key, .value]], standard: false),
    hasFurtherBlocks: true,
    feedForward: .experts(
      ExpertRule(
        router: .sigmoidOfChosen, normalizing: ("norm_topk_prob", true), hasChoiceBias: true,
        comparedInGroup: 2, scalesWeights: true, hasShared: true, leadsDense: true,
        countKey: "n_routed_experts", readsRouterInGGUF: true, ggufRouter: .sigmoid)),
    turnsPartially: true)

  /// MiniMax M2: all queries, and all keys, are normalised together; experts weighed by sigmoids.
  static let minimaxM2 = Architecture(
    modelTypes: ["minimax_m2"], ggufName: "minimax-m2", className: "MiniMaxM2ForCausalLM",
    names: [
      .router: "block_sparse_moe.gate", .choiceBias: "block_sparse_moe.e_score_correction_bias",
      .expertGate: "block_sparse_moe.experts.w1", .expertDown: "block_sparse_moe.experts.w2",
      .expertUp: "block_sparse_moe.experts.w3",
    ],
    standards: ["rms_norm_eps": .number(1e-6), "rope_theta": .number(5_000_000)],
    queryKeyNorm: .wholeWidth, ignoredKeys: ["use_qk_norm", "shared_intermediate_size"],
    feedForward: .experts(
      ExpertRule(router: .sigmoidOfChosen, usesDenseInnerSize: true, hasChoiceBias: true)),
    turnsPartially: true, readsRotaryDim: true)

  /// What most call shared experts that are not weighed.
  static let shared: [Part: String] = [
    .sharedGate: "mlp.shared_experts.gate_proj", .sharedUp: "mlp.shared_experts.up_proj",
    .sharedDown: "mlp.shared_experts.down_proj",
  ]
}
