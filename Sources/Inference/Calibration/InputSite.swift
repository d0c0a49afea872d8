import Checkpoints

/// A place in the model whose vectors one or more layers read.
public enum InputSite: Hashable, Sendable {
  /// What q, k and v read: the output of the norm before attention.
  case attention(block: Int)
  /// What o reads: the heads' outputs side by side.
  case attentionOutput(block: Int)
  /// What gate and up read: the output of the norm before the MLP.
  case mlp(block: Int)
  /// What down reads: silu(gate) * up.
  case mlpOutput(block: Int)
  /// What the LM head reads: the output of the final norm.
  case head

  /// The sites of a block, in the order in which they are reached.
  public static func sites(ofBlock block: Int) -> [InputSite] {
    [
      .attention(block: block), .attentionOutput(block: block), .mlp(block: block),
      .mlpOutput(block: block),
    ]
  }

  /// Where a layer reads; nil for an embedding that is no head too: it is looked up, not multiplied.
  public init?(of layer: LayerDescription, in model: ModelDescription) {
    switch (layer.role, layer.block) {
    case (.query, let block?), (.key, let block?), (.value, let block?):
      self = .attention(block: block)
    case (.attentionOutput, let block?): self = .attentionOutput(block: block)
    case (.gate, let block?), (.up, let block?): self = .mlp(block: block)
    case (.down, let block?): self = .mlpOutput(block: block)
    case (.head, _): self = .head
    case (.embedTokens, _) where model.tiesEmbeddings: self = .head
    default: return nil
    }
  }

  /// The block that the site lies in; nil for the head.
  public var block: Int? {
    switch self {
    case .attention(let block), .attentionOutput(let block), .mlp(let block),
      .mlpOutput(let block):
      block
    case .head: nil
    }
  }
}
