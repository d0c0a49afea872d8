extension Architecture {
  /// Phi 3 to 4: q, k, v are one matrix, gate and up another; LongRoPE; Phi-4-mini turns a part of each head.
  static let phi3 = Architecture(
    modelTypes: ["phi3"], ggufName: "phi3", className: "Phi3ForCausalLM",
    standards: [
      "rms_norm_eps": .number(1e-5), "original_max_position_embeddings": .integer(4096),
    ],
    fusesAttention: true, feedForward: .fusedGated, window: .all,
    ggufWindow: Architecture.WindowRule.none, turnsPartially: true,
    longRopeWords: ["longrope", "su", "yarn"])

  /// Four multipliers: of embeddings, scores, both halves' outputs and logits.
  static let granite = Architecture(
    modelTypes: ["granite"], ggufName: "granite", className: "GraniteForCausalLM",
    refusedInGGUF: ["deepstack_mapping"], turnsByFinetunedFlag: true,
    biases: .flagged(
      [
        "attention_bias": [.query, .key, .value, .attentionOutput],
        "mlp_bias": [.gate, .up, .down],
      ], standard: false),
    reordersRows: true, embeddingScale: .setting, hasMultipliers: true)

  static let graniteMoe = Architecture(
    modelTypes: ["granitemoe"], ggufName: "granitemoe", className: "GraniteMoeForCausalLM",
    names: [
      .router: "block_sparse_moe.router.layer",
      .expertGateUp: "block_sparse_moe.input_linear",
      .expertDown: "block_sparse_moe.output_linear",
    ],
    biases: .flagged(
      ["attention_bias": [.query, .key, .value, .attentionOutput]], standard: false),
    feedForward: .experts(
      ExpertRule(router: .softmaxOfChosen, isFused: true, usesDenseInnerSize: true)),
    reordersRows: true, embeddingScale: .setting, hasMultipliers: true)

  /// Granite 4: Mamba-2 in most blocks, attention without positions in the others, and a shared expert beside the others or alone.
  static let graniteHybrid = Architecture(
    modelTypes: ["granitemoehybrid"], ggufName: "granitehybrid",
    className: "GraniteMoeHybridForCausalLM",
    names: [
      .mambaInputs: "mamba.in_proj", .deltaConvolution: "mamba.conv1d",
      .deltaStep: "mamba.dt_bias", .mambaDecay: "mamba.A_log", .mambaSkip: "mamba.D",
      .mambaNorm: "mamba.norm", .deltaOutput: "mamba.out_proj",
      .fusedGateUp: "shared_mlp.input_linear", .down: "shared_mlp.output_linear",
      .sharedGateUp: "shared_mlp.input_linear", .sharedDown: "shared_mlp.output_linear",
      .router: "block_sparse_moe.router.layer", .expertGateUp: "block_sparse_moe.input_linear",
      .expertDown: "block_sparse_moe.output_linear",
    ],
    standards: [
      "mamba_conv_bias": .bool(true), "mamba_n_groups": .integer(1), "mamba_d_conv": .integer(4),
      "mamba_d_state": .integer(256), "mamba_n_heads": .integer(128), "mamba_expand": .integer(2),
      "shared_intermediate_size": .integer(1024),
    ],
    biases: .flagged(
      [
        "attention_bias": [.query, .key, .value, .attentionOutput],
        "mamba_conv_bias": [.deltaConvolution], "mamba_proj_bias": [.mambaInputs, .deltaOutput],
      ], standard: false),
    hasMamba: true, turnsBySetting: true,
    feedForward: .experts(
      ExpertRule(
        router: .softmaxOfChosen, isFused: true, usesDenseInnerSize: true, fusesShared: true)),
    reordersRows: true, embeddingScale: .setting, hasMultipliers: true)

  /// Norms stand after both halves; all queries, and all keys, are normalised together.
  static let olmo2 = Architecture(
    modelTypes: ["olmo2"], ggufName: "olmo2", className: "Olmo2ForCausalLM",
    names: [
      .attentionPostNorm: "post_attention_layernorm",
      .feedForwardPostNorm: "post_feedforward_layernorm",
    ],
    standards: ["rms_norm_eps": .number(1e-5)],
    // OLMo 3 is OLMo 2 with windows to llama.cpp.
    refusedInGGUF: ["attention.sliding_window", "rope.freq_base_swa"],
    norms: .after, queryKeyNorm: .wholeWidth,
    biases: .flagged(
      ["attention_bias": [.query, .key, .value, .attentionOutput]], standard: false))

  static let olmoe = Architecture(
    modelTypes: ["olmoe"], ggufName: "olmoe", className: "OlmoeForCausalLM",
    standards: ["rms_norm_eps": .number(1e-5)], queryKeyNorm: .wholeWidth,
    biases: .flagged(
      ["attention_bias": [.query, .key, .value, .attentionOutput]], standard: false),
    feedForward: .experts(
      ExpertRule(
        router: .softmax, normalizing: ("norm_topk_prob", false), usesDenseInnerSize: true)))

  /// GLM-4 of 2025: norms around both halves, half of each head turns, in neighbours.
  static let glm4 = Architecture(
    modelTypes: ["glm4"], ggufName: "glm4", className: "Glm4ForCausalLM",
    names: [
      .attentionPostNorm: "post_self_attn_layernorm",
      .feedForwardPostNorm: "post_mlp_layernorm",
    ],
    standards: [
      "rms_norm_eps": .number(1.5625e-7), "partial_rotary_factor": .number(0.5),
      "attention_bias": .bool(true),
    ],
    refusedInGGUF: ["rope.dimension_sections"],
    norms: .around, biases: .flagged(["attention_bias": [.query, .key, .value]], standard: false),
    feedForward: .fusedGated, pairing: .neighbours, turnsPartially: true)

  /// Layer norms with biases, biases everywhere, a feed-forward half without a gate.
  static let starcoder2 = Architecture(
    modelTypes: ["starcoder2"], ggufName: "starcoder2", className: "Starcoder2ForCausalLM",
    names: [.up: "mlp.c_fc", .down: "mlp.c_proj"],
    standards: ["norm_epsilon": .number(1e-5)], norm: .layer,
    biases: .flagged(
      ["use_bias": [.query, .key, .value, .attentionOutput, .up, .down]], standard: true),
    feedForward: .plain, activation: ("hidden_act", .geluTanh), window: .all,
    ggufWindow: Architecture.WindowRule.none, tiesByStandard: true)
}
