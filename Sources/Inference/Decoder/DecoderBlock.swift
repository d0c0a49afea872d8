import Checkpoints
import Tensors

/// One decoder block's weights: a slot for each layer, and its norms.
struct DecoderBlock: Sendable {
  var attentionNorm: [Float]
  var mlpNorm: [Float]
  /// q, k and v, which read the same input.
  private(set) var attentionInputs: [LayerWeights]
  private(set) var attentionOutput: [LayerWeights]
  /// gate and up, which read the same input.
  private(set) var mlpInputs: [LayerWeights]
  private(set) var mlpOutput: [LayerWeights]

  /// The norms of a block: before attention, and before the MLP.
  static let normNames = ["input_layernorm", "post_attention_layernorm"]

  /// The name of block `index`'s part, as Hugging Face checkpoints have it.
  static func name(_ part: String, block index: Int) -> String { "model.layers.\(index).\(part)" }

  /// The name that a layer has once its block is counted as `place`; layers of no block keep theirs.
  static func name(ofLayer layer: LayerDescription, inBlock place: Int?) -> String {
    guard let old = layer.block, let place else { return layer.name }
    return name(String(layer.name.dropFirst(name("", block: old).count)), block: place)
  }

  /// A block of the weights that `weights` and `norm` give for the names of its parts.
  init(
    norm: (String) throws(InferenceError) -> [Float],
    weights: (String) throws(InferenceError) -> LayerWeights
  ) throws(InferenceError) {
    attentionNorm = try norm(Self.normNames[0])
    mlpNorm = try norm(Self.normNames[1])
    attentionInputs = [
      try weights("self_attn.q_proj"), try weights("self_attn.k_proj"),
      try weights("self_attn.v_proj"),
    ]
    attentionOutput = [try weights("self_attn.o_proj")]
    mlpInputs = [try weights("mlp.gate_proj"), try weights("mlp.up_proj")]
    mlpOutput = [try weights("mlp.down_proj")]
  }

  /// What the slot of a role holds; nil for roles outside blocks.
  subscript(role: Role) -> LayerWeights? {
    switch role {
    case .query: attentionInputs[0]
    case .key: attentionInputs[1]
    case .value: attentionInputs[2]
    case .attentionOutput: attentionOutput[0]
    case .gate: mlpInputs[0]
    case .up: mlpInputs[1]
    case .down: mlpOutput[0]
    case .embedTokens, .head: nil
    }
  }

  /// Puts weights into the slot of a role; does nothing for roles outside blocks.
  mutating func set(_ role: Role, to weights: LayerWeights) {
    switch role {
    case .query: attentionInputs[0] = weights
    case .key: attentionInputs[1] = weights
    case .value: attentionInputs[2] = weights
    case .attentionOutput: attentionOutput[0] = weights
    case .gate: mlpInputs[0] = weights
    case .up: mlpInputs[1] = weights
    case .down: mlpOutput[0] = weights
    case .embedTokens, .head: break
    }
  }
}
