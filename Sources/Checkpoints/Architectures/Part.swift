/// A kind of tensor that models have, by llama.cpp's word for it where that has one: `attn_q`, `ffn_norm`.
///
/// What a part is called in a Hugging Face checkpoint depends on the architecture (``Architecture/names``).
package struct Part: RawRepresentable, Hashable, Sendable, ExpressibleByStringLiteral {
  package let rawValue: String

  package init(rawValue: String) { self.rawValue = rawValue }
  package init(stringLiteral value: String) { rawValue = value }

  package static let embedding: Part = "token_embd"
  package static let finalNorm: Part = "output_norm"
  package static let head: Part = "output"

  package static let attentionNorm: Part = "attn_norm"
  package static let query: Part = "attn_q"
  package static let key: Part = "attn_k"
  package static let value: Part = "attn_v"
  package static let fusedAttention: Part = "attn_qkv"
  package static let attentionOutput: Part = "attn_output"
  package static let queryNorm: Part = "attn_q_norm"
  package static let keyNorm: Part = "attn_k_norm"
  /// What queries follow from, of few values, and its norm; and what makes queries of it.
  package static let queryDown: Part = "attn_q_a"
  package static let queryDownNorm: Part = "attn_q_a_norm"
  package static let queryUp: Part = "attn_q_b"
  /// What keys and values follow from, beside the part of keys that turns; and the norm of the former.
  package static let latent: Part = "attn_kv_a_mqa"
  package static let latentNorm: Part = "attn_kv_a_norm"
  /// What makes keys and values of it, head by head.
  package static let latentUp: Part = "attn_kv_b"
  /// The same of keys alone, each head's matrix with inputs for rows, and of values alone.
  package static let latentKey: Part = "attn_k_b"
  package static let latentValue: Part = "attn_v_b"
  package static let attentionPostNorm: Part = "post_attention_norm"
  /// For each head a logit that takes part in its softmax and has no value.
  package static let sinks: Part = "attn_sinks"

  /// Queries, keys and values of a Gated DeltaNet, which llama.cpp calls `attn_qkv`.
  package static let deltaInputs: Part = "ssm_qkv"
  /// What gates its outputs.
  package static let deltaGate: Part = "attn_gate"
  /// Both in one tensor, which GGUF holds as two.
  package static let fusedDelta: Part = "ssm_in"
  /// What decides how much its state forgets, and how much it takes in.
  package static let deltaAlpha: Part = "ssm_alpha"
  package static let deltaBeta: Part = "ssm_beta"
  /// Both in one matrix.
  package static let deltaRates: Part = "ssm_ba"
  package static let deltaConvolution: Part = "ssm_conv1d"
  package static let deltaStep: Part = "ssm_dt.bias"
  package static let deltaDecay: Part = "ssm_a"
  package static let deltaNorm: Part = "ssm_norm"
  package static let deltaOutput: Part = "ssm_out"

  /// What gates, channels and steps of a Mamba-2 follow from, which llama.cpp calls `ssm_in`.
  package static let mambaInputs: Part = "mamba_in"
  /// How fast its heads forget, which llama.cpp calls `ssm_a`; and how much of what they read they give as it is.
  package static let mambaDecay: Part = "mamba_a"
  package static let mambaSkip: Part = "ssm_d"
  /// The norm of its gated outputs, which llama.cpp calls `ssm_norm`.
  package static let mambaNorm: Part = "mamba_norm"

  /// What a short convolution's two factors and its gate follow from, the convolution itself, and its last layer.
  package static let convolutionInputs: Part = "shortconv.in_proj"
  package static let shortConvolution: Part = "shortconv.conv"
  package static let convolutionOutput: Part = "shortconv.out_proj"

  package static let feedForwardNorm: Part = "ffn_norm"
  package static let gate: Part = "ffn_gate"
  package static let up: Part = "ffn_up"
  /// Gate and up in one matrix, which llama.cpp calls `ffn_up`.
  package static let fusedGateUp: Part = "ffn_gate_up"
  package static let down: Part = "ffn_down"
  package static let feedForwardPostNorm: Part = "post_ffw_norm"

  /// Norms of an MLP's outputs and of experts' inputs and outputs, where both stand side by side.
  package static let densePostNorm: Part = "post_ffw_norm_1"
  package static let expertNorm: Part = "pre_ffw_norm_2"
  package static let expertPostNorm: Part = "post_ffw_norm_2"

  package static let perLayerEmbedding: Part = "per_layer_token_embd"
  /// What makes a part of the blocks' own embeddings of the model's.
  package static let perLayerModelProjection: Part = "per_layer_model_proj"
  package static let perLayerModelNorm: Part = "per_layer_proj_norm"
  package static let perLayerGate: Part = "inp_gate"
  package static let perLayerProjection: Part = "proj"
  package static let perLayerNorm: Part = "post_norm"

  /// What a block's hidden states are multiplied by.
  package static let outputScale: Part = "layer_output_scale.weight"
  /// What the router's inputs are multiplied by, channel by channel.
  package static let routerScale: Part = "ffn_gate_inp.scale"
  /// What the experts' weights are multiplied by.
  package static let expertScale: Part = "ffn_down_exps.scale"

  package static let router: Part = "ffn_gate_inp"
  /// What is added to the scores that experts are chosen by, and not to those that weigh them.
  package static let choiceBias: Part = "exp_probs_b"
  package static let expertGate: Part = "ffn_gate_exps"
  package static let expertUp: Part = "ffn_up_exps"
  /// Gates and ups of all experts in one tensor, which GGUF holds as two.
  package static let expertGateUp: Part = "ffn_gate_up_exps"
  package static let expertDown: Part = "ffn_down_exps"
  package static let sharedGate: Part = "ffn_gate_shexp"
  package static let sharedUp: Part = "ffn_up_shexp"
  /// Gate and up of a shared expert in one matrix, which GGUF holds as two.
  package static let sharedGateUp: Part = "ffn_gate_up_shexp"
  package static let sharedDown: Part = "ffn_down_shexp"
  /// What weighs the shared expert.
  package static let sharedRouter: Part = "ffn_gate_inp_shexp"

  /// llama.cpp's name of the tensor, without block and suffix.
  package var ggufName: String {
    switch self {
    case .fusedGateUp: Part.up.rawValue
    case .deltaInputs: Part.fusedAttention.rawValue
    case .mambaInputs: Part.fusedDelta.rawValue
    case .mambaDecay: Part.deltaDecay.rawValue
    case .mambaNorm: Part.deltaNorm.rawValue
    default: rawValue
    }
  }

  /// The role of the layer; nil for parts that are no layer: norms and routers.
  package var role: Role? { Self.roles[self] }

  /// Whether it is a norm: a part that is no layer and nothing else either.
  package var isNorm: Bool { role == nil && !Self.others.contains(self) }

  /// What follows the part's name in each format, where that is not `.weight`.
  package var suffix: (huggingFace: String, gguf: String) {
    switch self {
    case .sinks: ("", ".weight")
    case .choiceBias: ("", ".bias")
    default: (".weight", ".weight")
    }
  }

  /// Whether it has as many rows, or values, for each expert as for any other.
  package var isOfExperts: Bool { Self.ofExperts.contains(self) }

  private static let ofExperts: Set<Part> = [
    .router, .choiceBias, .expertScale, .expertGate, .expertUp, .expertGateUp, .expertDown,
  ]

  /// Parts that are neither layers nor norms.
  private static let others: Set<Part> = [
    .router, .sharedRouter, .sinks, .choiceBias, .deltaAlpha, .deltaBeta, .deltaRates,
    .deltaConvolution, .deltaStep, .deltaDecay, .mambaDecay, .mambaSkip, .shortConvolution,
    .perLayerModelProjection, .outputScale,
    .routerScale, .expertScale,
  ]

  private static let roles: [Part: Role] = [
    .embedding: .embedTokens, .head: .head, .query: .query, .key: .key, .value: .value,
    .fusedAttention: .fusedAttention, .attentionOutput: .attentionOutput, .gate: .gate, .up: .up,
    .fusedGateUp: .fusedGateUp, .down: .down, .expertGate: .expertGate, .expertUp: .expertUp,
    .expertGateUp: .expertGateUp, .expertDown: .expertDown, .sharedGate: .sharedGate,
    .queryDown: .queryDown, .queryUp: .queryUp,
    .latent: .latent, .latentUp: .latentUp, .latentKey: .latentKey, .latentValue: .latentValue,
    .sharedUp: .sharedUp, .sharedDown: .sharedDown, .perLayerEmbedding: .perLayerEmbedding,
    .perLayerGate: .perLayerGate, .perLayerProjection: .perLayerProjection,
    .deltaInputs: .deltaInputs, .deltaGate: .deltaGate, .fusedDelta: .fusedDelta,
    .deltaOutput: .mixerOutput, .convolutionInputs: .mixerInputs,
    .mambaInputs: .mixerInputs, .sharedGateUp: .sharedGateUp,
    .convolutionOutput: .mixerOutput,
  ]

  /// What most Hugging Face checkpoints call the part, after their prefix and, in blocks, the block's number.
  package static let commonNames: [Part: String] = [
    .embedding: "embed_tokens", .finalNorm: "norm", .attentionNorm: "input_layernorm",
    .query: "self_attn.q_proj", .key: "self_attn.k_proj", .value: "self_attn.v_proj",
    .fusedAttention: "self_attn.qkv_proj", .attentionOutput: "self_attn.o_proj",
    .queryNorm: "self_attn.q_norm", .keyNorm: "self_attn.k_norm", .sinks: "self_attn.sinks",
    .feedForwardNorm: "post_attention_layernorm", .gate: "mlp.gate_proj", .up: "mlp.up_proj",
    .fusedGateUp: "mlp.gate_up_proj", .down: "mlp.down_proj", .router: "mlp.gate",
    .choiceBias: "mlp.gate.e_score_correction_bias", .expertGateUp: "mlp.experts.gate_up_proj",
    .expertGate: "mlp.experts.gate_proj", .expertUp: "mlp.experts.up_proj",
    .expertDown: "mlp.experts.down_proj", .sharedGate: "mlp.shared_expert.gate_proj",
    .sharedUp: "mlp.shared_expert.up_proj", .sharedDown: "mlp.shared_expert.down_proj",
    .sharedRouter: "mlp.shared_expert_gate", .queryDown: "self_attn.q_a_proj",
    .queryDownNorm: "self_attn.q_a_layernorm", .queryUp: "self_attn.q_b_proj",
    .latent: "self_attn.kv_a_proj_with_mqa", .latentNorm: "self_attn.kv_a_layernorm",
    .latentUp: "self_attn.kv_b_proj", .latentKey: "self_attn.k_b_proj",
    .latentValue: "self_attn.v_b_proj",
    .deltaInputs: "linear_attn.in_proj_qkv",
    .deltaGate: "linear_attn.in_proj_z", .fusedDelta: "linear_attn.in_proj_qkvz",
    .deltaAlpha: "linear_attn.in_proj_a", .deltaBeta: "linear_attn.in_proj_b",
    .deltaRates: "linear_attn.in_proj_ba", .deltaConvolution: "linear_attn.conv1d",
    .deltaStep: "linear_attn.dt_bias", .deltaDecay: "linear_attn.A_log",
    .deltaNorm: "linear_attn.norm", .deltaOutput: "linear_attn.out_proj",
    .convolutionInputs: "conv.in_proj", .shortConvolution: "conv.conv",
    .convolutionOutput: "conv.out_proj",
  ]
}
