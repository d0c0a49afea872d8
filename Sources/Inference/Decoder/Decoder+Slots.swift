import Checkpoints
import Tensors

extension Decoder {
  static let embeddingName = "model.embed_tokens"
  static let headName = "lm_head"
  static let finalNormName = "model.norm"

  /// What the slot of a layer holds; nil for names that are no layer of this model.
  public func weights(of layer: String) -> LayerWeights? {
    guard let place = place(of: layer) else { return nil }
    switch place.role {
    case .embedTokens: return embedding
    case .head: return head
    default: return place.block.flatMap { blocks[$0][place.role] }
    }
  }

  /// Puts weights into the slot of a layer; the next token is computed with them.
  ///
  /// `lm_head` names the embedding when the model ties them: both lookup and head use the one slot.
  /// - Throws: ``InferenceError`` for names that are no layer, and for weights of another shape.
  public mutating func setLayer(
    _ name: String, _ weights: LayerWeights
  ) throws(InferenceError) {
    guard let place = place(of: name) else { throw .missing(name: name) }
    try Self.check(weights, fits: place)
    let weights = Self.runnable(weights, on: pool)
    switch place.role {
    case .embedTokens: embedding = weights
    case .head: head = weights
    default:
      guard let block = place.block else { throw .missing(name: name) }
      blocks[block].set(place.role, to: weights)
    }
  }

  /// The weights of a norm by its Hugging Face name, for example `model.layers.3.input_layernorm`; nil for others.
  public func norm(named name: String) -> [Float]? {
    guard name != Self.finalNormName else { return finalNorm }
    return place(ofNorm: name).map { blocks[$0.block][keyPath: $0.norm] }
  }

  /// Replaces the weights of a norm, for example by such as take back scales of the layers that read it.
  ///
  /// - Throws: ``InferenceError`` for names that are no norm, and for another number of weights.
  public mutating func setNorm(_ name: String, _ weights: [Float]) throws(InferenceError) {
    try Self.check(weights, named: name, in: description)
    if name == Self.finalNormName {
      finalNorm = weights
    } else if let place = place(ofNorm: name) {
      blocks[place.block][keyPath: place.norm] = weights
    } else {
      throw .missing(name: name)
    }
  }

  private func place(
    ofNorm name: String
  ) -> (block: Int, norm: WritableKeyPath<DecoderBlock, [Float]>)? {
    let norms = zip(DecoderBlock.normNames, [\DecoderBlock.attentionNorm, \.mlpNorm])
    for (part, norm) in norms {
      let block = blocks.indices.first { DecoderBlock.name(part, block: $0) == name }
      if let block { return (block, norm) }
    }
    return nil
  }

  static func check(
    _ norm: [Float], named name: String, in model: ModelDescription
  ) throws(InferenceError) {
    guard norm.count == model.hiddenSize else {
      throw .wrongShape(layer: name, expected: [model.hiddenSize], found: [norm.count])
    }
  }

  /// The same weights in a form that kernels multiply with: GGUF's blocks are repacked, code for code.
  static func runnable(_ weights: LayerWeights, on pool: WorkerPool) -> LayerWeights {
    switch weights {
    case .stored(let matrix):
      PackedMatrix(losslessly: matrix, on: pool).map { .packed($0) } ?? weights
    case .stack(let members): .stack(members.map { runnable($0, on: pool) })
    case .packed, .floats: weights
    }
  }

  private func place(of layer: String) -> LayerDescription? {
    let isTiedHead = description.tiesEmbeddings && layer == Self.headName
    return places[isTiedHead ? Self.embeddingName : layer]
  }

  static func check(
    _ weights: LayerWeights, fits layer: LayerDescription
  ) throws(InferenceError) {
    guard weights.rows == layer.rows && weights.columns == layer.columns else {
      throw .wrongShape(
        layer: layer.name, expected: [layer.rows, layer.columns],
        found: [weights.rows, weights.columns])
    }
  }
}
