/// What a layer does in its block, or in the model.
///
/// The set is open: a role that Vise gives no meaning to is named by what its checkpoint calls the layer.
public struct Role: RawRepresentable, Codable, Hashable, Sendable {
  public let rawValue: String

  public init(rawValue: String) { self.rawValue = rawValue }

  public static let embedTokens = Role(rawValue: "embed_tokens")
  public static let query = Role(rawValue: "q_proj")
  public static let key = Role(rawValue: "k_proj")
  public static let value = Role(rawValue: "v_proj")
  /// Queries, keys and values in one matrix.
  public static let fusedAttention = Role(rawValue: "qkv_proj")
  /// Latent attention's matrices: those to rows of few values, and those from them.
  public static let queryDown = Role(rawValue: "q_a_proj")
  public static let queryUp = Role(rawValue: "q_b_proj")
  public static let latent = Role(rawValue: "kv_a_proj_with_mqa")
  public static let latentUp = Role(rawValue: "kv_b_proj")
  public static let latentKey = Role(rawValue: "k_b_proj")
  public static let latentValue = Role(rawValue: "v_b_proj")
  public static let attentionOutput = Role(rawValue: "o_proj")
  public static let gate = Role(rawValue: "gate_proj")
  public static let up = Role(rawValue: "up_proj")
  /// Gate and up in one matrix.
  public static let fusedGateUp = Role(rawValue: "gate_up_proj")
  public static let down = Role(rawValue: "down_proj")
  public static let expertGate = Role(rawValue: "experts.gate_proj")
  public static let expertUp = Role(rawValue: "experts.up_proj")
  public static let expertGateUp = Role(rawValue: "experts.gate_up_proj")
  public static let expertDown = Role(rawValue: "experts.down_proj")
  public static let sharedGate = Role(rawValue: "shared_expert.gate_proj")
  public static let sharedUp = Role(rawValue: "shared_expert.up_proj")
  public static let sharedGateUp = Role(rawValue: "shared_expert.gate_up_proj")
  public static let sharedDown = Role(rawValue: "shared_expert.down_proj")
  /// The table of the blocks' own embeddings, side by side.
  public static let perLayerEmbedding = Role(rawValue: "embed_tokens_per_layer")
  public static let perLayerGate = Role(rawValue: "per_layer_input_gate")
  public static let perLayerProjection = Role(rawValue: "per_layer_projection")
  /// Queries, keys and values of a Gated DeltaNet.
  public static let deltaInputs = Role(rawValue: "in_proj_qkv")
  /// The gate of its outputs.
  public static let deltaGate = Role(rawValue: "in_proj_z")
  /// Both in one matrix.
  public static let fusedDelta = Role(rawValue: "in_proj_qkvz")
  /// The first layer of a short convolution, or of a Mamba-2.
  public static let mixerInputs = Role(rawValue: "in_proj")
  /// The last layer of what stands in attention's place.
  public static let mixerOutput = Role(rawValue: "out_proj")
  public static let head = Role(rawValue: "lm_head")

  /// Whether it is a table in which tokens are looked up.
  public var isEmbedding: Bool { self == .embedTokens || self == .perLayerEmbedding }

  /// The roles of most models, in the order in which data meets them.
  public static let common: [Role] = [
    .embedTokens, .query, .key, .value, .attentionOutput, .gate, .up, .down, .expertGate, .expertUp,
    .expertDown, .head,
  ]
}
