import Checkpoints

/// A blueprint in llama.cpp's words, key by key as `convert_hf_to_gguf.py` writes them.
extension GGUFMetadata {
  /// Sets what a model's architecture says of its computation.
  ///
  /// - Throws: ``CheckpointError`` when GGUF has no words for something.
  mutating func setArchitecture(
    of model: ModelDescription, _ blueprint: Blueprint, _ architecture: Architecture
  ) throws(CheckpointError) {
    let prefix = architecture.ggufName + "."
    set(prefix + "block_count", blueprint.blocks.count)
    set(prefix + "context_length", blueprint.contextLength)
    set(prefix + "embedding_length", blueprint.hiddenSize)
    let epsilon = blueprint.norm == .rms ? "layer_norm_rms_epsilon" : "layer_norm_epsilon"
    set("\(prefix)attention.\(epsilon)", .float32(Float(blueprint.normEpsilon)))
    set(prefix + "vocab_size", blueprint.vocabularySize)
    if let attention = blueprint.attention { setAttention(attention, prefix) }
    setOwnSizes(of: blueprint, architecture, prefix)
    if let delta = blueprint.blocks.lazy.compactMap(\.delta).first {
      try setDelta(delta, of: model, blueprint, prefix)
    }
    if let convolution = blueprint.blocks.lazy.compactMap(\.convolution).first {
      set(prefix + "shortconv.l_cache", convolution.taps)
      set(prefix + "attention.head_count_kv", sizes: blueprint.keyHeadCounts)
    }
    if let mamba = blueprint.blocks.lazy.compactMap(\.mamba).first {
      set(prefix + "ssm.conv_kernel", mamba.taps)
      set(prefix + "ssm.state_size", mamba.stateSize)
      set(prefix + "ssm.group_count", mamba.groupCount)
      set(prefix + "ssm.time_step_rank", mamba.headCount)
      set(prefix + "ssm.inner_size", mamba.width)
      set(prefix + "attention.head_count_kv", sizes: blueprint.keyHeadCounts)
    }
    if architecture.turnsBySetting {
      set(prefix + "rope.scaling.finetuned", .bool(blueprint.attention?.rope != nil))
    }
    try setWindows(of: model, blueprint, prefix)
    setFeedForward(blueprint, architecture, prefix)
    setScales(blueprint, architecture, prefix)
    for (place, rope) in blueprint.ropes.enumerated() {
      setRope(rope, blueprint, isLocal: place > 0, prefix)
    }
  }

  private mutating func setAttention(_ attention: AttentionFacts, _ prefix: String) {
    set(prefix + "attention.head_count", attention.headCount)
    if let latent = attention.latent {
      setLatent(latent, of: attention, prefix)
      return
    }
    set(prefix + "attention.head_count_kv", attention.keyValueHeadCount)
    set(prefix + "attention.key_length", attention.headSize)
    set(prefix + "attention.value_length", attention.headSize)
    if let cap = attention.softcap { set(prefix + "attn_logit_softcapping", .float32(cap)) }
    if let growth = attention.queryGrowth {
      set(prefix + "attention.temperature_scale", .float32(growth.beta))
    }
  }

  /// llama.cpp computes with one head of keys and values, the latent row, and with queries that are multiplied to it.
  private mutating func setLatent(
    _ latent: LatentFacts, of attention: AttentionFacts, _ prefix: String
  ) {
    set(prefix + "attention.head_count_kv", 1)
    set(prefix + "attention.key_length", latent.rank + latent.turnedSize)
    set(prefix + "attention.value_length", latent.rank)
    set(prefix + "attention.key_length_mla", attention.headSize)
    set(prefix + "attention.value_length_mla", attention.valueSize)
    set(prefix + "attention.kv_lora_rank", latent.rank)
    if let rank = latent.queryRank { set(prefix + "attention.q_lora_rank", rank) }
  }

  /// What blocks have of their own: heads of another kind where no window is, caches of others, embeddings.
  private mutating func setOwnSizes(
    of blueprint: Blueprint, _ architecture: Architecture, _ prefix: String
  ) {
    let blocks = blueprint.blocks.compactMap(\.attention)
    if architecture.hasGlobalHeads, let first = blocks.first {
      let whole = blocks.first { $0.window == nil }?.headSize ?? first.headSize
      let local = blocks.first { $0.window != nil }?.headSize ?? whole
      for part in ["key", "value"] {
        set("\(prefix)attention.\(part)_length", whole)
        set("\(prefix)attention.\(part)_length_swa", local)
      }
      let counts = blocks.map(\.keyValueHeadCount)
      if Set(counts).count > 1 { set(prefix + "attention.head_count_kv", sizes: counts) }
    }
    if architecture.sharesCaches {
      set(prefix + "attention.shared_kv_layers", blocks.count { $0.cacheBlock != nil })
    }
    if architecture.hasPerLayerEmbeddings {
      set(prefix + "embedding_length_per_layer_input", blueprint.perLayer?.size ?? 0)
    }
  }

  /// The recurrence of blocks without attention, and which they are.
  private mutating func setDelta(
    _ delta: DeltaFacts, of model: ModelDescription, _ blueprint: Blueprint, _ prefix: String
  ) throws(CheckpointError) {
    guard delta.keySize == delta.valueSize else {
      throw CheckpointError(
        file: model.path,
        reason:
          "has linear blocks with keys of \(delta.keySize) and values of \(delta.valueSize), which are alike to llama.cpp",
        hint: "export it as compressed-tensors")
    }
    set(prefix + "ssm.conv_kernel", delta.taps)
    set(prefix + "ssm.state_size", delta.keySize)
    set(prefix + "ssm.group_count", delta.keyHeadCount)
    set(prefix + "ssm.time_step_rank", delta.valueHeadCount)
    set(prefix + "ssm.inner_size", delta.valueWidth)
    set(prefix + "attention.recurrent_layers", blueprint.recurrentLayers)
    // Earlier versions of llama.cpp know the interval only.
    if let first = blueprint.blocks.firstIndex(where: { $0.attention != nil }),
      blueprint.blocks.indices.allSatisfy({ index in
        (blueprint.blocks[index].attention != nil) == ((index + 1) % (first + 1) == 0)
      })
    {
      set(prefix + "full_attention_interval", first + 1)
    }
    // llama.cpp loads no Qwen 3.5 without the pairs that turn by each coordinate of an image, which are alike in text.
    if !delta.fusesRates { set(prefix + "rope.dimension_sections", .int32s([11, 11, 10, 0])) }
  }

  /// A pattern for each block where some see a window; llama.cpp knows no window for most architectures.
  private mutating func setWindows(
    of model: ModelDescription, _ blueprint: Blueprint, _ prefix: String
  ) throws(CheckpointError) {
    let windows = blueprint.blocks.map { $0.attention?.window }
    guard let size = windows.lazy.compactMap(\.self).first else { return }
    set(prefix + "attention.sliding_window", size)
    guard Set(windows.compactMap(\.self)).count == 1 else {
      throw CheckpointError(
        file: model.path, reason: "has windows of several sizes, for which GGUF has no words",
        hint: "export it as compressed-tensors")
    }
    guard windows.contains(nil) else { return }
    set(prefix + "attention.sliding_window_pattern", .bools(windows.map { $0 != nil }))
  }

  private mutating func setFeedForward(
    _ blueprint: Blueprint, _ architecture: Architecture, _ prefix: String
  ) {
    let dense = blueprint.blocks.compactMap(\.feedForward.dense?.innerSize)
    if dense.count == blueprint.blocks.count, Set(dense).count > 1 {
      set(prefix + "feed_forward_length", sizes: dense)
    } else if let inner = dense.first ?? blueprint.experts?.innerSize {
      set(prefix + "feed_forward_length", inner)
    }
    guard let experts = blueprint.experts else { return }
    set(prefix + "expert_count", experts.count)
    set(prefix + "expert_used_count", experts.chosenCount)
    set(prefix + "expert_feed_forward_length", experts.innerSize)
    if architecture.hasSharedExperts {
      set(prefix + "expert_shared_count", (experts.sharedInnerSize ?? 0) / experts.innerSize)
    } else if let shared = experts.sharedInnerSize {
      set(prefix + "expert_shared_feed_forward_length", shared)
    }
    if architecture.leadsDense {
      set(prefix + "leading_dense_block_count", blueprint.leadingDenseBlocks)
    }
    setRouter(experts, architecture, prefix)
  }

  private mutating func setRouter(
    _ experts: ExpertFacts, _ architecture: Architecture, _ prefix: String
  ) {
    if architecture.readsRouterInGGUF || experts.router.isSigmoid {
      set(prefix + "expert_gating_func", experts.router.isSigmoid ? 2 : 1)
    }
    if architecture.readsRouterInGGUF {
      set(prefix + "expert_weights_norm", .bool(experts.router.isOfChosen))
    }
    if architecture.scalesExpertWeights {
      set(prefix + "expert_weights_scale", .float32(experts.weightScale))
    }
    // llama.cpp does not load files in which all groups are chosen.
    if let groups = experts.groups, groups.chosenCount < groups.count {
      set(prefix + "expert_group_count", groups.count)
      set(prefix + "expert_group_used_count", groups.chosenCount)
    }
  }

  private mutating func setScales(
    _ blueprint: Blueprint, _ architecture: Architecture, _ prefix: String
  ) {
    if let cap = blueprint.logitSoftcap {
      set(prefix + "final_logit_softcapping", .float32(cap))
    }
    guard architecture.hasMultipliers, let block = blueprint.blocks.first,
      let attention = blueprint.attention
    else { return }
    set(prefix + "attention.scale", .float32(attention.scale))
    set(prefix + "embedding_scale", .float32(blueprint.embeddingScale))
    set(prefix + "residual_scale", .float32(block.residualScale))
    set(prefix + "logit_scale", .float32(1 / blueprint.logitScale))
  }

  private mutating func setRope(
    _ rope: RopeFacts, _ blueprint: Blueprint, isLocal: Bool, _ prefix: String
  ) {
    guard !isLocal else {
      set(prefix + "rope.freq_base_swa", .float32(Float(rope.theta)))
      if rope.rotatedSize != blueprint.ropes[0].rotatedSize {
        set(prefix + "rope.dimension_count_swa", rope.rotatedSize)
      }
      return
    }
    set(prefix + "rope.freq_base", .float32(Float(rope.theta)))
    set(prefix + "rope.dimension_count", rope.rotatedSize)
    let scaling = prefix + "rope.scaling."
    switch rope.scaling {
    case .linear(let factor):
      set(scaling + "type", .string("linear"))
      set(scaling + "factor", .float32(Float(factor)))
    case .yarn(let rule):
      set(scaling + "type", .string("yarn"))
      set(scaling + "factor", .float32(Float(rule.factor)))
      set(scaling + "original_context_length", rule.originalLength)
      set(scaling + "yarn_beta_fast", .float32(Float(rule.betaFast)))
      set(scaling + "yarn_beta_slow", .float32(Float(rule.betaSlow)))
      // llama.cpp multiplies its own amplitude of the factor by this one.
      let own = YarnScaling.amplitude(factor: rule.factor)
      if let weight = blueprint.latentScoreWeight(factor: rule.factor) {
        set(scaling + "yarn_log_multiplier", .float32(Float(weight / 10)))
      } else if abs(rule.amplitude - own) > 1e-6 {
        set(scaling + "attn_factor", .float32(Float(rule.amplitude / own)))
      }
    case .long(let rule):
      set(scaling + "type", .string("longrope"))
      set(scaling + "original_context_length", rule.originalLength)
      set(scaling + "attn_factor", .float32(Float(rule.amplitude)))
    case .llama3, .listed, .proportional, nil: break
    }
  }
}

extension Blueprint {
  /// Blocks before the first that has experts.
  package var leadingDenseBlocks: Int {
    blocks.firstIndex { if case .experts = $0.feedForward { true } else { false } } ?? blocks.count
  }

  /// The weight of the logarithm in the amplitude whose square latent attention's scores are multiplied by, as config.json's
  /// `mscale_all_dim` has it; nil for other attention.
  fileprivate func latentScoreWeight(factor: Double) -> Double? {
    guard let attention, attention.latent != nil, factor > 1 else {
      return nil
    }
    let square = Double(attention.scale) * Double(attention.headSize).squareRoot()
    let weight = (square.squareRoot() - 1) / (YarnScaling.amplitude(factor: factor) - 1)
    // What single precision leaves of no weight at all is none, and readers take none below zero.
    return weight < 1e-5 ? 0 : weight
  }

  /// Heads of keys and values of each block; none where it has no attention.
  var keyHeadCounts: [Int] { blocks.map { $0.attention?.keyValueHeadCount ?? 0 } }

  /// Which blocks have a recurrence in attention's place, those that predict further tokens included.
  var recurrentLayers: GGUFFile.Value {
    .bools(blocks.map { $0.delta != nil } + Array(repeating: false, count: furtherBlocks))
  }
}
