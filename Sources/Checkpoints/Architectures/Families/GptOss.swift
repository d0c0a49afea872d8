extension Architecture {
  /// gpt-oss: biases everywhere, sinks, windows in every other block, bounded gates, experts published in MXFP4.
  ///
  /// llama.cpp has alpha and limit of the gates in its code (`ggml_swiglu_oai`).
  static let gptOss = Architecture(
    modelTypes: ["gpt_oss"], ggufName: "gpt-oss", className: "GptOssForCausalLM",
    names: [.router: "mlp.router"], ggufNames: [.feedForwardNorm: "post_attention_norm"],
    standards: [
      "hidden_size": .integer(2880), "intermediate_size": .integer(2880),
      "num_hidden_layers": .integer(36), "num_attention_heads": .integer(64),
      "num_key_value_heads": .integer(8), "head_dim": .integer(64),
      "vocab_size": .integer(201_088), "max_position_embeddings": .integer(131_072),
      "num_local_experts": .integer(128), "num_experts_per_tok": .integer(4),
      "rms_norm_eps": .number(1e-5), "sliding_window": .integer(128),
      "rope_theta": .number(150_000), "attention_bias": .bool(true),
    ],
    fixedNumbers: ["swiglu_alpha": 1.702, "swiglu_limit": 7],
    biases: .flagged(
      ["attention_bias": [.query, .key, .value, .attentionOutput]], standard: true),
    hasSinks: true,
    feedForward: .experts(
      ExpertRule(
        router: .softmaxOfChosen, isFused: true, usesDenseInnerSize: true,
        layout: StackLayout(isTransposed: true, alternates: true),
        biases: [.router, .expertGateUp, .expertDown])),
    activation: ("hidden_act", .clampedSwiGLU), window: .allButEvery(2), readsLayerTypes: true,
    needsRopeSection: true)
}
