import JSON

/// What the keys of GGUF metadata mean to a decoder, without the architecture's name that precedes them.
///
/// Source: `load_hparams` and `load_arch_hparams` of llama.cpp.
enum GGUFKeys {
  /// Keys that every architecture reads.
  private static let shared: Set<String> = [
    "block_count", "context_length", "embedding_length", "feed_forward_length", "vocab_size",
    "attention.head_count", "attention.head_count_kv", "attention.key_length",
    "attention.value_length", "attention.causal", "rope.dimension_count", "rope.freq_base",
    "rope.scale_linear", "rope.scaling.type", "rope.scaling.factor", "rope.scaling.attn_factor",
    "rope.scaling.original_context_length", "expert_count", "expert_used_count",
  ]

  /// Keys that an architecture's blueprint is made of.
  static func honoured(by architecture: Architecture) -> Set<String> {
    var keys = shared
    keys.insert(
      architecture.norm == .rms
        ? "attention.layer_norm_rms_epsilon" : "attention.layer_norm_epsilon")
    if architecture.hasWindowInGGUF {
      keys.formUnion(["attention.sliding_window", "attention.sliding_window_pattern"])
    }
    if architecture.hasLocalRope { keys.insert("rope.freq_base_swa") }
    if architecture.hasGlobalHeads {
      keys.formUnion([
        "attention.key_length_swa", "attention.value_length_swa", "rope.dimension_count_swa",
      ])
    }
    if architecture.sharesCaches { keys.insert("attention.shared_kv_layers") }
    if architecture.hasPerLayerEmbeddings { keys.insert("embedding_length_per_layer_input") }
    if architecture.boundsScores { keys.insert("attn_logit_softcapping") }
    if architecture.boundsLogits { keys.insert("final_logit_softcapping") }
    if architecture.hasMultipliers {
      keys.formUnion(["logit_scale", "residual_scale", "embedding_scale", "attention.scale"])
    }
    if architecture.growsQueries { keys.insert("attention.temperature_scale") }
    if architecture.hasYarnRampInGGUF {
      keys.formUnion([
        "rope.scaling.yarn_log_multiplier", "rope.scaling.yarn_beta_fast",
        "rope.scaling.yarn_beta_slow",
      ])
    }
    if architecture.hasExperts {
      keys.formUnion([
        "expert_feed_forward_length", "expert_shared_feed_forward_length", "expert_shared_count",
        "leading_dense_block_count",
      ])
      if architecture.scalesExpertWeights { keys.insert("expert_weights_scale") }
      if architecture.readsRouterInGGUF {
        keys.formUnion(["expert_weights_norm", "expert_gating_func"])
      }
      if architecture.groupsExperts {
        keys.formUnion(["expert_group_count", "expert_group_used_count"])
      }
    }
    if architecture.hasLatentAttention {
      keys.formUnion([
        "attention.q_lora_rank", "attention.kv_lora_rank", "attention.key_length_mla",
        "attention.value_length_mla", "rope.scaling.yarn_log_multiplier",
      ])
    }
    if architecture.hasDelta {
      keys.formUnion([
        "ssm.conv_kernel", "ssm.state_size", "ssm.group_count", "ssm.time_step_rank",
        "ssm.inner_size", "attention.recurrent_layers", "full_attention_interval",
        "rope.dimension_sections",
      ])
    }
    if architecture.hasMamba {
      keys.formUnion([
        "ssm.conv_kernel", "ssm.state_size", "ssm.group_count", "ssm.time_step_rank",
        "ssm.inner_size",
      ])
    }
    if architecture.hasConvolutions { keys.insert("shortconv.l_cache") }
    if architecture.keepsFurtherBlocks { keys.insert("nextn_predict_layers") }
    return keys
  }

  /// Keys that change nothing that is computed.
  static let harmless: Set<String> = [
    "tensor_data_layout", "rope.scaling.finetuned", "pooling_type", "attention.layer_norm_epsilon",
    "attention.layer_norm_rms_epsilon", "expert_group_count", "expert_group_used_count",
    "expert_gating_func",
  ]

  /// Keys that llama.cpp honours, and that are not honoured here: unless they are zero.
  static func refused(of architecture: Architecture) -> [String] {
    ["nextn_predict_layers"] + architecture.refusedInGGUF
  }
}

/// Looks at every key of GGUF metadata for what a blueprint does not say.
struct GGUFReview {
  let architecture: Architecture
  let header: GGUFHeader

  private var prefix: String { architecture.ggufName + "." }

  /// - Throws: ``CheckpointError`` naming a setting that changes the computation and is not honoured.
  func refuseOthers() throws(CheckpointError) {
    if header.value(prefix + "attention.causal") == .bool(false) {
      throw header.error(
        "\(prefix)attention.causal is false: attends to later positions too, and only causal decoders run"
      )
    }
    if architecture.turnsByFinetunedFlag,
      header.value(prefix + "rope.scaling.finetuned") == .bool(false)
    {
      throw header.error(
        "\(prefix)rope.scaling.finetuned is false, so that positions turn nothing, which is not supported"
      )
    }
    let honoured = GGUFKeys.honoured(by: architecture)
    for key in GGUFKeys.refused(of: architecture) where !honoured.contains(key) && isSet(key) {
      throw header.error(
        "\(prefix)\(key) is \(text(of: key)), which is not supported for \(architecture.ggufName)")
    }
  }

  /// What the file says and llama.cpp does not look at: a sentence.
  func notes() -> [String] {
    let known = GGUFKeys.honoured(by: architecture).union(GGUFKeys.harmless)
    let strangers = header.keys.filter { $0.hasPrefix(prefix) }
      .map { String($0.dropFirst(prefix.count)) }
      .filter { !known.contains($0) && isSet($0) }
    guard !strangers.isEmpty else { return [] }
    let list = strangers.map { "\(prefix)\($0) \(text(of: $0))" }.listed(limit: 6)
    return [
      "the metadata say \(list), which llama.cpp does not read for \(architecture.ggufName): computed without"
    ]
  }

  private func isSet(_ key: String) -> Bool {
    switch header.value(prefix + key) {
    case .none, .bool(false), .integer(0), .number(0), .text(""): false
    case .other: header.integers(prefix + key).map { $0.contains { $0 != 0 } } ?? true
    case .bool(true), .integer, .number, .text: true
    }
  }

  private func text(of key: String) -> String {
    let value = header.value(prefix + key)
    return value == .other ? "a list" : value?.text ?? "missing"
  }
}
