extension LlamaShape {
  /// Reads config.json as transformers writes it, in versions 4 and 5.
  init(config: JSONFile) throws(CheckpointError) {
    let type = try config.text("model_type")
    guard type == "llama" else {
      throw Self.unsupported(architecture: type.map { "\"\($0)\"" } ?? "left out", config)
    }
    for key in ["attention_bias", "mlp_bias"] where try config.flag(key) == true {
      throw config.error("\(key) is true, and biases are not supported")
    }
    let activation = try config.text("hidden_act") ?? "silu"
    guard activation == "silu" else {
      throw config.error("hidden_act is \"\(activation)\", and only \"silu\" is supported")
    }
    hiddenSize = try config.size("hidden_size")
    intermediateSize = try config.size("intermediate_size")
    blockCount = try config.size("num_hidden_layers", limit: Self.blockLimit)
    headCount = try config.size("num_attention_heads")
    keyValueHeadCount = try config.size("num_key_value_heads", standard: headCount)
    headSize =
      config.value("head_dim") == nil
      ? try Self.headSize(hiddenSize: hiddenSize, headCount: headCount, config)
      : try config.size("head_dim")
    vocabularySize = try config.size("vocab_size")
    contextLength = try config.size(
      "max_position_embeddings", standard: 2048, limit: Self.contextLimit)
    normEpsilon = try config.number("rms_norm_eps", standard: 1e-6)
    tiesEmbeddings = try config.flag("tie_word_embeddings") ?? false
    // Version 5 moved both RoPE settings into one section.
    let parameters = try config.section("rope_parameters")
    let scaling = try config.section("rope_scaling")
    let thetaHolder = parameters.flatMap { $0.value("rope_theta") == nil ? nil : $0 } ?? config
    ropeTheta = try thetaHolder.number("rope_theta", standard: 10_000)
    ropeScaling = try Self.ropeScaling(parameters ?? scaling)
    try check(config)
  }

  private static func ropeScaling(_ rope: JSONFile?) throws(CheckpointError) -> RopeScaling? {
    guard let rope else { return nil }
    guard try rope.number("partial_rotary_factor", standard: 1) == 1 else {
      throw rope.error("partial_rotary_factor is not 1, which is not supported")
    }
    let type = try rope.text("rope_type")
    switch try type == nil ? rope.text("type") : type {
    case .none, "default": return nil
    case "llama3":
      let scaling = RopeScaling(
        factor: try rope.number("factor"),
        lowFrequencyFactor: try rope.number("low_freq_factor"),
        highFrequencyFactor: try rope.number("high_freq_factor"),
        originalContextLength: try rope.size(
          "original_max_position_embeddings", limit: Self.contextLimit))
      guard scaling.lowFrequencyFactor < scaling.highFrequencyFactor else {
        throw rope.error("low_freq_factor is not below high_freq_factor")
      }
      return scaling
    case .some(let other): throw Self.unsupported(ropeScaling: other, rope)
    }
  }
}
