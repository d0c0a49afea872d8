import JSON

extension JSONObject {
  /// A config.json brought into line with a model, which may have been pruned; all else stays.
  ///
  /// The text model's settings may stand in a section of their own.
  package func describing(_ model: ModelDescription, quantization: JSONValue?) -> JSONObject {
    var config = self
    if case .object(let text)? = config["text_config"] {
      config["text_config"] = .object(text.sized(for: model))
    } else {
      config = config.sized(for: model)
    }
    config["quantization_config"] = quantization
    // MLX's section says the same of codes that are not there any more.
    config["quantization"] = nil
    return config
  }

  /// The sizes that structured pruning may change.
  private func sized(for model: ModelDescription) -> JSONObject {
    guard let blueprint = model.blueprint, let block = blueprint.blocks.first,
      let architecture = Architecture.named(model.architecture)
    else { return self }
    var config = self
    if config["num_hidden_layers"] != .integer(blueprint.blocks.count) {
      config.tellBlocksApart(of: blueprint, architecture)
    }
    config["num_hidden_layers"] = .integer(blueprint.blocks.count)
    if let experts = blueprint.experts {
      for key in SettingKey.expertCount.config {
        if case .integer? = config[key] { config[key] = .integer(experts.count) }
      }
    }
    guard
      let attention = blueprint.blocks.lazy.compactMap(\.attention).first(where: {
        $0.window != nil
      }) ?? blueprint.attention
    else { return config }
    // Heads of latent attention are not pruned, and `head_dim` is another size there.
    guard attention.latent == nil else { return config }
    config["num_attention_heads"] = .integer(attention.headCount)
    config["num_key_value_heads"] = .integer(attention.keyValueHeadCount)
    if case .dense(let dense) = block.feedForward, !architecture.adjustsInnerSize {
      config["intermediate_size"] = .integer(dense.innerSize)
    }
    // Readers divide the hidden size by the heads where it is not given, which holds until heads go.
    if config["head_dim"] != nil
      || blueprint.hiddenSize != attention.headCount * attention.headSize
    {
      config["head_dim"] = .integer(attention.headSize)
    }
    if config["num_kv_shared_layers"] != nil {
      config["num_kv_shared_layers"] = .integer(blueprint.sharingCount)
    }
    if case .object? = config["per_layer_config"] {
      config["per_layer_config"] = .object(blueprint.ownSizes(beside: attention))
    }
    return config
  }

  /// Says of each block what settings else tell by its place, which is another one once blocks have gone.
  private mutating func tellBlocksApart(of blueprint: Blueprint, _ architecture: Architecture) {
    if architecture.readsLayerTypes || self["layer_types"] ?? .null != .null {
      self["layer_types"] = blueprint.layerTypes
      for key in [
        "sliding_window_pattern", "_sliding_window_pattern", "full_attention_interval",
        "full_attn_idxs", "max_window_layers",
      ] {
        self[key] = nil
      }
    }
    if architecture.blockWithoutRope != nil || self["no_rope_layers"] ?? .null != .null {
      self["no_rope_layers"] = blueprint.ropeLayers
      self["no_rope_layer_interval"] = nil
    }
    guard blueprint.experts != nil else { return }
    let dense = blueprint.blocks.indices.filter { blueprint.blocks[$0].isDense }
    if architecture.leadsDense {
      self[architecture.leadingDenseKey] = .integer(dense.count)
    } else if self["mlp_only_layers"] ?? .null != .null || self["decoder_sparse_step"] != nil {
      self["mlp_only_layers"] = .array(dense.map { .integer($0) })
      self["decoder_sparse_step"] = .integer(1)
    }
  }
}

extension Blueprint {
  /// Blocks that read the keys and values of others.
  var sharingCount: Int { blocks.count { $0.attention?.cacheBlock != nil } }

  /// config.json's `per_layer_config`: the heads of blocks that have others than most.
  fileprivate func ownSizes(beside common: AttentionFacts) -> JSONObject {
    var all = JSONObject(members: [])
    for (index, block) in blocks.enumerated() {
      guard let attention = block.attention else { continue }
      var own = JSONObject(members: [])
      if attention.headSize != common.headSize { own["head_dim"] = .integer(attention.headSize) }
      if attention.keyValueHeadCount != common.keyValueHeadCount {
        own["num_key_value_heads"] = .integer(attention.keyValueHeadCount)
      }
      if !own.members.isEmpty { all["\(index)"] = .object(own) }
    }
    return all
  }

  /// config.json's `layer_types`: a word for each block.
  var layerTypes: JSONValue {
    let hasMamba = blocks.contains { $0.mamba != nil }
    return .array(
      blocks.map { block in
        switch block.mixer {
        case .attention(let attention):
          // Granite 4's first classes, and llama.cpp's converter, know these words only.
          hasMamba ? "attention" : attention.window == nil ? "full_attention" : "sliding_attention"
        case .delta: "linear_attention"
        case .convolution: "conv"
        case .mamba: "mamba"
        }
      })
  }

  /// config.json's `no_rope_layers`, in which 1 is a block that turns, whatever the name says.
  var ropeLayers: JSONValue {
    .array(blocks.map { .integer($0.attention?.rope == nil ? 0 : 1) })
  }
}
