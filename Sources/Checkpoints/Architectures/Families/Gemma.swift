extension Architecture {
  /// Norms weigh by 1 + w, GELU gates, embeddings grow by the root of the hidden size.
  static let gemma = Architecture(
    modelTypes: ["gemma"], ggufName: "gemma", className: "GemmaForCausalLM",
    standards: ["head_dim": .integer(256), "rms_norm_eps": .number(1e-6)],
    normOffset: 1,
    biases: .flagged(
      ["attention_bias": [.query, .key, .value, .attentionOutput]], standard: false),
    activation: ("hidden_act", .geluTanh), meansTanhByGELU: true, embeddingScale: .rootOfHidden,
    tiesByStandard: true)

  /// Norms around both halves, bounded scores and logits, a window in every other block.
  static let gemma2 = Architecture(
    modelTypes: ["gemma2"], ggufName: "gemma2", className: "Gemma2ForCausalLM",
    names: sandwich,
    standards: [
      "head_dim": .integer(256), "rms_norm_eps": .number(1e-6), "sliding_window": .integer(4096),
      "query_pre_attn_scalar": .integer(256), "attn_logit_softcapping": .number(50),
      "final_logit_softcapping": .number(30),
    ],
    ggufStandards: [
      "attention.sliding_window": .integer(4096), "attn_logit_softcapping": .number(50),
      "final_logit_softcapping": .number(30),
    ],
    refusedInGGUF: ["rope.freq_base_swa", "rope.dimension_count_swa"],
    normOffset: 1, norms: .around,
    biases: .flagged(
      ["attention_bias": [.query, .key, .value, .attentionOutput]], standard: false),
    activation: ("hidden_activation", .geluTanh), window: .allButEvery(2),
    readsLayerTypes: true, embeddingScale: .rootOfHidden,
    attentionScaleKey: "query_pre_attn_scalar",
    blocksOfWideScores: 46, boundsScores: true, boundsLogits: true, tiesByStandard: true)

  /// Normalised queries and keys, a window in five of six blocks with frequencies of their own.
  static let gemma3 = Architecture(
    modelTypes: ["gemma3_text", "gemma3"], ggufName: "gemma3", className: "Gemma3ForCausalLM",
    names: sandwich,
    standards: [
      "head_dim": .integer(256), "rms_norm_eps": .number(1e-6), "sliding_window": .integer(4096),
      "query_pre_attn_scalar": .integer(256), "hidden_size": .integer(2304),
      "intermediate_size": .integer(9216), "num_hidden_layers": .integer(26),
      "num_attention_heads": .integer(8), "num_key_value_heads": .integer(4),
      "vocab_size": .integer(262_208), "max_position_embeddings": .integer(131_072),
      "rope_theta": .number(1_000_000),
    ],
    refusedInGGUF: [
      "rope.dimension_count_swa", "attention.key_length_swa", "attention.value_length_swa",
    ],
    normOffset: 1, norms: .around, queryKeyNorm: .perHead,
    biases: .flagged(
      ["attention_bias": [.query, .key, .value, .attentionOutput]], standard: false),
    activation: ("hidden_activation", .geluTanh), window: .allButEvery(6), readsLayerTypes: true,
    hasLocalRope: true,
    embeddingScale: .rootOfHidden, attentionScaleKey: "query_pre_attn_scalar",
    blocksOfWideScores: 62, boundsLogits: true, tiesByStandard: true)

  /// Heads of their own kind in every sixth block, whose keys may be values; values are normalised; embeddings for each block;
  /// caches shared by the last blocks; experts beside an MLP.
  static let gemma4 = Architecture(
    modelTypes: ["gemma4_text", "gemma4"], ggufName: "gemma4", className: "Gemma4ForCausalLM",
    names: sandwich.merging(ofGemma4) { _, own in own },
    standards: [
      "head_dim": .integer(256), "rms_norm_eps": .number(1e-6), "sliding_window": .integer(512),
      "hidden_size": .integer(2304), "intermediate_size": .integer(9216),
      "num_hidden_layers": .integer(30), "num_attention_heads": .integer(8),
      "num_key_value_heads": .integer(4), "vocab_size": .integer(262_144),
      "max_position_embeddings": .integer(131_072), "global_head_dim": .integer(512),
      "hidden_size_per_layer_input": .integer(256),
      "vocab_size_per_layer_input": .integer(262_144),
    ],
    norms: .around, queryKeyNorm: .perHead,
    biases: .flagged(
      ["attention_bias": [.query, .key, .value, .attentionOutput]], standard: false),
    feedForward: .experts(
      ExpertRule(
        router: .softmaxOfChosen, isFused: true, flag: "enable_moe_block",
        standsBesideDense: true, isFusedInGGUF: true)),
    activation: ("hidden_activation", .geluTanh), window: .allButEvery(6), readsLayerTypes: true,
    endsWithoutWindow: true, hasLocalRope: true, embeddingScale: .rootOfHidden, scoreScale: 1,
    hasGlobalHeads: true, normalizesValues: true, sharesCaches: true, hasPerLayerEmbeddings: true,
    scalesBlocks: true, boundsLogits: true, tiesByStandard: true)

  private static let ofGemma4: [Part: String] = [
    .densePostNorm: "post_feedforward_layernorm_1", .expertNorm: "pre_feedforward_layernorm_2",
    .expertPostNorm: "post_feedforward_layernorm_2", .router: "router.proj",
    .routerScale: "router.scale", .expertScale: "router.per_expert_scale",
    .expertGateUp: "experts.gate_up_proj", .expertGate: "experts.gate_proj",
    .expertUp: "experts.up_proj", .expertDown: "experts.down_proj", .outputScale: "layer_scalar",
    .perLayerEmbedding: "embed_tokens_per_layer",
    .perLayerModelProjection: "per_layer_model_projection",
    .perLayerModelNorm: "per_layer_projection_norm", .perLayerGate: "per_layer_input_gate",
    .perLayerProjection: "per_layer_projection", .perLayerNorm: "post_per_layer_input_norm",
  ]

  /// Norms before and after both halves.
  private static let sandwich: [Part: String] = [
    .attentionPostNorm: "post_attention_layernorm",
    .feedForwardNorm: "pre_feedforward_layernorm",
    .feedForwardPostNorm: "post_feedforward_layernorm",
  ]
}
