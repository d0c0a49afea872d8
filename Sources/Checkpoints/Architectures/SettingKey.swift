/// A setting of models, by the words that both formats have for it.
package struct SettingKey: Hashable, Sendable {
  /// Names in config.json, of which the first that is there counts.
  let config: [String]
  /// The name in GGUF, after the architecture's and a dot; nil where GGUF has none.
  let gguf: String?

  init(_ config: String..., gguf: String?) {
    self.config = config
    self.gguf = gguf
  }

  static let hiddenSize = SettingKey("hidden_size", gguf: "embedding_length")
  static let innerSize = SettingKey("intermediate_size", gguf: "feed_forward_length")
  static let blockCount = SettingKey("num_hidden_layers", gguf: "block_count")
  static let headCount = SettingKey("num_attention_heads", gguf: "attention.head_count")
  static let keyHeadCount = SettingKey("num_key_value_heads", gguf: "attention.head_count_kv")
  static let headSize = SettingKey("head_dim", gguf: "attention.key_length")
  static let vocabularySize = SettingKey("vocab_size", gguf: "vocab_size")
  static let contextLength = SettingKey("max_position_embeddings", gguf: "context_length")
  static let rmsEpsilon = SettingKey("rms_norm_eps", gguf: "attention.layer_norm_rms_epsilon")
  static let layerEpsilon = SettingKey(
    "norm_epsilon", "layer_norm_eps", gguf: "attention.layer_norm_epsilon")

  static let window = SettingKey("sliding_window", gguf: "attention.sliding_window")
  static let attentionSoftcap = SettingKey(
    "attn_logit_softcapping", gguf: "attn_logit_softcapping")
  static let logitSoftcap = SettingKey(
    "final_logit_softcapping", gguf: "final_logit_softcapping")
  static let embeddingScale = SettingKey("embedding_multiplier", gguf: "embedding_scale")
  static let residualScale = SettingKey("residual_multiplier", gguf: "residual_scale")
  static let attentionScale = SettingKey("attention_multiplier", gguf: "attention.scale")
  static let logitDivisor = SettingKey("logits_scaling", gguf: "logit_scale")

  static let expertCount = SettingKey(
    "num_experts", "num_local_experts", "n_routed_experts", gguf: "expert_count")
  static let chosenCount = SettingKey(
    "num_experts_per_tok", "num_experts_per_token", "top_k_experts", gguf: "expert_used_count")
  static let expertInnerSize = SettingKey(
    "moe_intermediate_size", gguf: "expert_feed_forward_length")
  static let sharedInnerSize = SettingKey(
    "shared_expert_intermediate_size", gguf: "expert_shared_feed_forward_length")

  static let fusedSharedInnerSize = SettingKey(
    "shared_intermediate_size", gguf: "expert_shared_feed_forward_length")
  static let weightScale = SettingKey("routed_scaling_factor", gguf: "expert_weights_scale")
  static let groupCount = SettingKey("n_group", gguf: "expert_group_count")
  static let chosenGroupCount = SettingKey("topk_group", gguf: "expert_group_used_count")
  static let sharedCount = SettingKey("n_shared_experts", gguf: "expert_shared_count")
  static let leadingDense = SettingKey(
    "first_k_dense_replace", "num_dense_layers", gguf: "leading_dense_block_count")

  static let queryRank = SettingKey("q_lora_rank", gguf: "attention.q_lora_rank")
  static let latentRank = SettingKey("kv_lora_rank", gguf: "attention.kv_lora_rank")
  static let latentValueSize = SettingKey("v_head_dim", gguf: "attention.value_length_mla")
  static let latentKeySize = SettingKey(gguf: "attention.key_length_mla")
  static let ownKeySize = SettingKey("qk_nope_head_dim", gguf: nil)
  static let turnedKeySize = SettingKey("qk_rope_head_dim", gguf: "rope.dimension_count")

  static let sharedCaches = SettingKey(
    "num_kv_shared_layers", gguf: "attention.shared_kv_layers")
  static let perLayerSize = SettingKey(
    "hidden_size_per_layer_input", gguf: "embedding_length_per_layer_input")
  /// GGUF has a name of its own for sizes of heads in blocks with a window.
  static let localHeadSize = SettingKey("head_dim", gguf: "attention.key_length_swa")
  static let globalHeadSize = SettingKey("global_head_dim", gguf: "attention.key_length")
  static let deltaKeyHeads = SettingKey("linear_num_key_heads", gguf: "ssm.group_count")
  static let deltaValueHeads = SettingKey("linear_num_value_heads", gguf: "ssm.time_step_rank")
  static let deltaKeySize = SettingKey("linear_key_head_dim", gguf: "ssm.state_size")
  static let deltaValueSize = SettingKey("linear_value_head_dim", gguf: nil)
  static let deltaTaps = SettingKey("linear_conv_kernel_dim", gguf: "ssm.conv_kernel")

  static let mambaHeads = SettingKey("mamba_n_heads", gguf: "ssm.time_step_rank")
  static let mambaStateSize = SettingKey("mamba_d_state", gguf: "ssm.state_size")
  static let mambaGroups = SettingKey("mamba_n_groups", gguf: "ssm.group_count")
  static let mambaTaps = SettingKey("mamba_d_conv", gguf: "ssm.conv_kernel")

  static let ropeTheta = SettingKey("rope_theta", gguf: "rope.freq_base")
  static let ropeAmplitude = SettingKey(gguf: "rope.scaling.attn_factor")
  static let rotatedSize = SettingKey(gguf: "rope.dimension_count")
  static let queryGrowth = SettingKey("llama_4_scaling_beta", gguf: "attention.temperature_scale")
}
