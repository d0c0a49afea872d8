import Checkpoints

extension JSONObject {
  /// A config.json brought into line with a model, which may have been pruned; all else stays.
  func describing(_ model: ModelDescription, quantization: JSONValue?) -> JSONObject {
    var config = self
    config["num_hidden_layers"] = .integer(model.blockCount)
    config["intermediate_size"] = .integer(model.intermediateSize)
    config["num_attention_heads"] = .integer(model.headCount)
    config["num_key_value_heads"] = .integer(model.keyValueHeadCount)
    // Readers divide the hidden size by the heads where it is not given, which holds until heads go.
    if config["head_dim"] != nil || model.hiddenSize != model.headCount * model.headSize {
      config["head_dim"] = .integer(model.headSize)
    }
    config["quantization_config"] = quantization
    // Where MLX says how a source was quantized that is so no longer.
    config["quantization"] = nil
    return config
  }

  /// Bytes that `quantization_config` adds to a config.json; none for nil.
  static func bytesAdded(by quantization: JSONValue?) -> Int {
    func bytes(_ quantization: JSONValue?) -> Int {
      var config = JSONObject(members: [])
      config["model_type"] = .null
      config["quantization_config"] = quantization
      return JSONWriter.bytes(of: .object(config), indent: HuggingFaceLayout.indent).count
    }
    return bytes(quantization) - bytes(nil)
  }

  /// The config.json of a Llama model that had none.
  static func llama(
    _ model: ModelDescription, _ special: SpecialTokens, quantization: JSONValue?
  ) -> JSONObject {
    var config = JSONObject(members: [])
    config["architectures"] = ["LlamaForCausalLM"]
    config["model_type"] = "llama"
    config["attention_bias"] = false
    config["mlp_bias"] = false
    config["hidden_act"] = "silu"
    config["hidden_size"] = .integer(model.hiddenSize)
    config["max_position_embeddings"] = .integer(model.contextLength)
    config["rms_norm_eps"] = .single(model.normEpsilon)
    config["rope_theta"] = .single(model.ropeTheta)
    config["rope_scaling"] = model.ropeScaling.map(\.json) ?? .null
    config["tie_word_embeddings"] = .bool(model.tiesEmbeddings)
    config["torch_dtype"] = "float16"
    config["vocab_size"] = .integer(model.vocabularySize)
    for member in special.ids { config[member.name] = member.value }
    config["head_dim"] = .integer(model.headSize)
    return config.describing(model, quantization: quantization)
  }
}

extension JSONValue {
  /// A number that a file held in single precision, in the digits that it needs there.
  fileprivate static func single(_ number: Double) -> JSONValue {
    .number(number, text: "\(Float(number))")
  }
}

extension RopeScaling {
  fileprivate var json: JSONValue {
    [
      "rope_type": "llama3", "factor": JSONValue(factor),
      "low_freq_factor": JSONValue(lowFrequencyFactor),
      "high_freq_factor": JSONValue(highFrequencyFactor),
      "original_max_position_embeddings": .integer(originalContextLength),
    ]
  }
}
