import JSON

/// What the keys of config.json mean to a decoder: the one place that says which of them change what is computed.
///
/// Source: the configuration and model classes of transformers 5.24, family by family.
enum ConfigKeys {
  /// Keys that every family's blueprint is made of.
  private static let shared: Set<String> = [
    "model_type", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads",
    "num_key_value_heads", "head_dim", "vocab_size", "max_position_embeddings",
    "tie_word_embeddings", "rope_theta", "rope_scaling", "rope_parameters",
    "original_max_position_embeddings", "dtype", "torch_dtype", "bos_token_id", "eos_token_id",
    "quantization_config", "quantization", "architectures", "is_causal", "auto_map",
    "use_bidirectional_attention",
  ]

  /// Keys that a family's blueprint is made of.
  static func honoured(by architecture: Architecture) -> Set<String> {
    var keys = shared
    keys.insert(architecture.activation.key)
    keys.formUnion(architecture.biasFlags.keys)
    keys.formUnion(architecture.fixedNumbers.keys)
    keys.formUnion(architecture.ignoredKeys)
    if let flag = architecture.queryKeyNormFlag { keys.insert(flag) }
    if architecture.readsRotaryDim { keys.insert("rotary_dim") }
    if architecture.hasLatentAttention {
      keys.formUnion([
        "q_lora_rank", "kv_lora_rank", "qk_rope_head_dim", "qk_nope_head_dim", "qk_head_dim",
        "v_head_dim",
      ])
    }
    if architecture.readsInterleaving { keys.insert("rope_interleave") }
    switch architecture.norm {
    case .rms: keys.insert(architecture.epsilonKey ?? "rms_norm_eps")
    case .layer: keys.formUnion(["norm_epsilon", "layer_norm_eps"])
    }
    switch architecture.window {
    case .none: break
    case .all: keys.insert("sliding_window")
    case .allButEvery:
      keys.formUnion(["sliding_window", "sliding_window_pattern", "_sliding_window_pattern"])
    case .switched, .switchedForAll, .switchedForEveryOther, .switchedWithoutRope:
      keys.formUnion(["sliding_window", "use_sliding_window", "max_window_layers"])
    }
    if architecture.readsLayerTypes { keys.insert("layer_types") }
    if architecture.hasLocalRope { keys.insert("rope_local_base_freq") }
    if architecture.turnsPartially { keys.insert("partial_rotary_factor") }
    if architecture.blockWithoutRope != nil {
      keys.formUnion(["no_rope_layers", "no_rope_layer_interval"])
    }
    if let key = architecture.attentionScaleKey { keys.insert(key) }
    if architecture.boundsScores { keys.insert("attn_logit_softcapping") }
    if architecture.boundsLogits { keys.insert("final_logit_softcapping") }
    if architecture.hasMultipliers {
      keys.formUnion([
        "embedding_multiplier", "residual_multiplier", "attention_multiplier", "logits_scaling",
      ])
    }
    if architecture.hasExperts {
      keys.formUnion(SettingKey.expertCount.config + SettingKey.chosenCount.config)
      keys.formUnion(
        architecture.leadsDense
          ? SettingKey.leadingDense.config : ["mlp_only_layers", "decoder_sparse_step"])
      keys.formUnion(["moe_intermediate_size", "shared_expert_intermediate_size"])
      if architecture.scalesExpertWeights { keys.formUnion(SettingKey.weightScale.config) }
      if architecture.hasSharedExperts { keys.formUnion(SettingKey.sharedCount.config) }
      if architecture.groupsExperts {
        keys.formUnion(["n_group", "topk_group"])
        if architecture.groupingMethod != nil { keys.insert("topk_method") }
      }
      if let flag = architecture.normalizingFlag { keys.insert(flag) }
      if let flag = architecture.expertFlag { keys.insert(flag) }
    }
    if architecture.hasGlobalHeads {
      keys.formUnion([
        "global_head_dim", "num_global_key_value_heads", "per_layer_config", "attention_k_eq_v",
      ])
    }
    if architecture.sharesCaches {
      keys.formUnion(["num_kv_shared_layers", "use_double_wide_mlp"])
    }
    if architecture.hasPerLayerEmbeddings {
      keys.formUnion(["hidden_size_per_layer_input", "vocab_size_per_layer_input"])
    }
    if architecture.hasDelta { keys.formUnion(deltaKeys) }
    if architecture.hasConvolutions { keys.formUnion(convolutionKeys) }
    if architecture.hasMamba { keys.formUnion(mambaKeys) }
    if architecture.turnsBySetting { keys.insert("position_embedding_type") }
    if architecture.hasOtherMixers { keys.insert("layer_types") }
    return keys
  }

  /// What says which blocks have a Gated DeltaNet, and of what shape; all attention beside is gated.
  private static let deltaKeys: Set<String> = [
    "full_attention_interval", "linear_num_key_heads", "linear_num_value_heads",
    "linear_key_head_dim", "linear_value_head_dim", "linear_conv_kernel_dim", "attn_output_gate",
    "mamba_ssm_dtype", "mtp_num_hidden_layers", "mtp_use_dedicated_embeddings",
  ]

  /// What says of what shape a Mamba-2 is, and how it is computed by chunks.
  private static let mambaKeys: Set<String> = [
    "mamba_n_heads", "mamba_n_groups", "mamba_d_state", "mamba_d_head", "mamba_d_conv",
    "mamba_expand", "mamba_chunk_size", "time_step_limit", "shared_intermediate_size",
    "layers_block_type",
  ]

  /// What says which blocks have a short convolution, and words of LFM2's first files for sizes.
  private static let convolutionKeys: Set<String> = [
    "conv_L_cache", "conv_bias", "full_attn_idxs", "use_expert_bias", "tie_embedding",
    "block_ff_dim", "block_auto_adjust_ff_dim", "block_ffn_dim_multiplier", "block_multiple_of",
    // What earlier classes read, or wrote beside: sizes that are the hidden size, and marks.
    "conv_dim", "conv_dim_out", "conv_use_xavier_init", "block_dim", "block_mlp_init_scale",
    "block_norm_eps", "block_out_init_scale", "block_use_swiglu", "block_use_xavier_init",
    "num_heads", "use_pos_enc", "theta",
  ]

  /// Keys that change nothing that is computed from tokens: of training, of memory, of other programs, of answers, and marks.
  static let harmless: Set<String> = [
    // Training.
    "attention_dropout", "attn_pdrop", "embd_pdrop", "embedding_dropout", "hidden_dropout",
    "initializer_range", "output_router_logits", "resid_pdrop", "residual_dropout", "dropout",
    "router_aux_loss_coef", "router_jitter_noise", "pretraining_tp", "use_cache", "layerdrop",
    "num_nextn_predict_layers", "problem_type", "num_labels", "max_sequence_length",
    "model_max_length", "tokenizer_model_max_length", "unsloth_fixed", "unsloth_version",
    "mm_tokens_per_image", "seq_length", "gradient_checkpointing", "initializer_factor",
    // Marks.
    "_name_or_path", "transformers_version", "tokenizer_class", "id2label", "label2id",
    "_commit_hash", "finetuning_task", "task_specific_params", "transformers.js_config",
    "is_llama_config", "architecture", "name_or_path", "ollama_version", "vllm_version",
    "kv_cache_scheme", "compression_config", "bos_token", "eos_token", "norm_type", "mlp_type",
    // Memory and devices.
    "attn_implementation", "_attn_implementation", "_attn_implementation_autoset", "use_flash_attn",
    "use_flash_attention_2", "cache_implementation", "chunk_size_feed_forward", "torchscript",
    "use_bfloat16", "return_dict", "return_dict_in_generate", "output_attentions",
    "output_hidden_states", "output_scores", "remove_invalid_values", "pruned_heads",
    "tf_legacy_loss", "use_return_dict",
    // Answers, which generation_config.json speaks of since, and tokens.
    "pad_token_id", "sep_token_id", "cls_token_id", "decoder_start_token_id", "unk_token_id",
    "mask_token_id", "do_sample", "temperature", "top_k", "top_p", "typical_p", "max_length",
    "min_length", "max_new_tokens", "num_beams", "num_beam_groups", "diversity_penalty",
    "early_stopping", "epsilon_cutoff", "eta_cutoff", "length_penalty", "num_return_sequences",
    "encoder_no_repeat_ngram_size", "no_repeat_ngram_size", "repetition_penalty", "prefix",
    "bad_words_ids", "begin_suppress_tokens", "suppress_tokens", "forced_bos_token_id",
    "forced_eos_token_id", "exponential_decay_length_penalty", "boi_token_index",
    "eoi_token_index", "image_token_index", "image_token_id",
    // What a decoder is told, and what parts of others are called.
    "is_decoder", "cross_attention_hidden_size", "tie_encoder_decoder", "vision_config",
    "text_config", "max_window_layers", "sliding_window_pattern", "_sliding_window_pattern",
    // Gemma's first files name the activation twice; the other word counts.
    "hidden_activation", "hidden_act",
  ]

  /// Keys that change what some family computes, with the values at which they change nothing beside null, false and zero.
  ///
  /// A family that does not know such a key is another model than the file describes, and does not run.
  static let computing: [String: Set<SettingValue>] = {
    let names = [
      // Bounds and multipliers.
      "attn_logit_softcapping", "final_logit_softcapping", "logit_softcapping", "logit_scale",
      "logits_scaling", "embedding_multiplier", "residual_multiplier", "attention_multiplier",
      "lm_head_multiplier", "key_multiplier", "attention_in_multiplier", "attention_out_multiplier",
      "mlp_multipliers", "scale_emb", "scale_depth", "dim_model_base", "mup_enabled",
      "mup_embedding_multiplier", "query_pre_attn_scalar", "clip_qkv", "swiglu_limit",
      "emb_scale_by_sqrt_dim", "normalize_embedding", "scale_attn_weights", "softmax_scale",
      "scale_attn_by_inverse_layer_idx", "llama_4_scaling_beta", "attn_temperature_tuning",
      // Norms.
      "use_qk_norm", "qk_norm", "qk_layernorm", "use_qkv_norm", "use_sandwich_norm",
      "use_post_norm",
      "rms_norm_add_unit_offset", "do_layer_norm_before",
      "apply_residual_connection_post_layernorm",
      // Positions.
      "alibi", "use_alibi", "partial_rotary_factor", "rotary_pct", "rotary_dim", "rotary_percent",
      "rope_interleave", "rope_interleaved", "rope_local_base_freq", "no_rope_layers",
      "no_rope_layer_interval", "position_embedding_type", "use_rotary", "use_mrope",
      "mrope_section", "attention_sink", "use_attention_sinks",
      // Attention of another kind.
      "multi_query", "new_decoder_architecture", "parallel_attn", "use_parallel_residual",
      "kv_lora_rank", "q_lora_rank", "qk_rope_head_dim", "qk_nope_head_dim", "v_head_dim",
      "attention_chunk_size", "attn_output_gate", "index_topk", "full_attention_interval",
      "cross_attention_layers", "num_kv_shared_layers",
      "bidirectional", "is_encoder_decoder", "add_cross_attention", "per_layer_config",
      // Blocks of another kind.
      "num_experts", "num_local_experts", "n_routed_experts", "n_shared_experts",
      "shared_expert_intermediate_size", "shared_intermediate_size", "moe_intermediate_size",
      "first_k_dense_replace", "routed_scaling_factor", "n_group", "mamba_d_state", "mamba_expand",
      "ssm_cfg", "conv_L_cache", "hidden_size_per_layer_input", "altup_num_inputs", "laurel_rank",
      "linear_num_key_heads", "hybrid_override_pattern", "layers_block_type", "block_types",
    ]
    var table = Dictionary(uniqueKeysWithValues: names.map { ($0, Set<SettingValue>()) })
    table["position_embedding_type"] = [.text("absolute"), .text("rope"), .text("rotary")]
    table["use_rotary"] = [.bool(true)]
    table["scale_attn_weights"] = [.bool(true)]
    table["do_layer_norm_before"] = [.bool(true)]
    // Factors and counts at which there is nothing to multiply, or to choose.
    for key in [
      "logit_scale", "logits_scaling", "embedding_multiplier", "residual_multiplier",
      "attention_multiplier", "lm_head_multiplier", "key_multiplier", "attention_in_multiplier",
      "attention_out_multiplier", "mup_embedding_multiplier", "scale_emb", "partial_rotary_factor",
      "rotary_pct", "rotary_percent", "routed_scaling_factor", "n_group", "num_experts",
      "num_local_experts", "n_routed_experts", "no_rope_layer_interval",
    ] {
      table[key] = [.integer(1), .number(1)]
    }
    return table
  }()

  /// Classes of transformers that give no probabilities of next tokens.
  static let otherPurposes = [
    "ForSequenceClassification", "ForTokenClassification", "ForQuestionAnswering", "ForMaskedLM",
    "ForRewardModel", "ForProcessRewardModel", "ForSequenceEmbedding",
  ]
}
