/// A place in the model whose vectors one or more layers read.
public enum InputSite: Codable, Hashable, Sendable {
  /// What q, k and v read, or the first layers of what stands in attention's place.
  case attention(block: Int)
  /// What makes queries of a latent row reads.
  case queryUp(block: Int)
  /// What makes keys and values of a latent row reads.
  case latentUp(block: Int)
  /// What o reads, or the last layer of what stands in attention's place: the heads' outputs side by side.
  case attentionOutput(block: Int)
  /// What gate and up read, also those of a shared expert.
  case feedForward(block: Int)
  /// What down reads.
  case feedForwardOutput(block: Int)
  /// What the experts' gates and ups read, each expert the tokens that the router sends it.
  case expertInput(block: Int)
  /// What the experts' down layers read, one expert after the other.
  case expertOutput(block: Int)
  /// What the shared expert's down layer reads.
  case sharedOutput(block: Int)
  /// What the gate of a block's own embeddings reads.
  case perLayerInput(block: Int)
  /// What the projection of a block's own embeddings reads.
  case perLayerOutput(block: Int)
  /// What the LM head reads: the output of the final norm.
  case head

  /// The sites of a block, in the order in which they are reached.
  public static func sites(ofBlock block: Int) -> [InputSite] {
    [
      .attention(block: block), .queryUp(block: block), .latentUp(block: block),
      .attentionOutput(block: block), .feedForward(block: block),
      .feedForwardOutput(block: block), .expertInput(block: block), .expertOutput(block: block),
      .sharedOutput(block: block), .perLayerInput(block: block), .perLayerOutput(block: block),
    ]
  }

  /// Where a role reads in a block; nil for embeddings, and for roles without a meaning.
  init?(role: Role, block: Int?) {
    guard let block else {
      guard role == .head else { return nil }
      self = .head
      return
    }
    switch role {
    case .query, .key, .value, .fusedAttention, .queryDown, .latent, .deltaInputs, .deltaGate,
      .fusedDelta, .mixerInputs:
      self = .attention(block: block)
    case .queryUp: self = .queryUp(block: block)
    // llama.cpp's matrix of keys is multiplied with queries there, and has no inputs here.
    case .latentUp, .latentValue: self = .latentUp(block: block)
    case .attentionOutput, .mixerOutput: self = .attentionOutput(block: block)
    case .gate, .up, .fusedGateUp, .sharedGate, .sharedUp, .sharedGateUp:
      self = .feedForward(block: block)
    case .expertGate, .expertUp, .expertGateUp: self = .expertInput(block: block)
    case .down: self = .feedForwardOutput(block: block)
    case .expertDown: self = .expertOutput(block: block)
    case .sharedDown: self = .sharedOutput(block: block)
    case .perLayerGate: self = .perLayerInput(block: block)
    case .perLayerProjection: self = .perLayerOutput(block: block)
    default: return nil
    }
  }

  /// The block that the site lies in; nil for the head.
  public var block: Int? {
    switch self {
    case .attention(let block), .queryUp(let block), .latentUp(let block),
      .attentionOutput(let block), .feedForward(let block),
      .feedForwardOutput(let block), .expertInput(let block), .expertOutput(let block),
      .sharedOutput(let block), .perLayerInput(let block), .perLayerOutput(let block):
      block
    case .head: nil
    }
  }

  /// The same place in another block.
  public func inBlock(_ block: Int) -> InputSite {
    switch self {
    case .attention: .attention(block: block)
    case .queryUp: .queryUp(block: block)
    case .latentUp: .latentUp(block: block)
    case .attentionOutput: .attentionOutput(block: block)
    case .feedForward: .feedForward(block: block)
    case .feedForwardOutput: .feedForwardOutput(block: block)
    case .expertInput: .expertInput(block: block)
    case .expertOutput: .expertOutput(block: block)
    case .sharedOutput: .sharedOutput(block: block)
    case .perLayerInput: .perLayerInput(block: block)
    case .perLayerOutput: .perLayerOutput(block: block)
    case .head: .head
    }
  }
}
