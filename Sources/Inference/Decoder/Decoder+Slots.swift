import Checkpoints
import Tensors

extension Decoder {
  /// What the slot of a layer holds; nil for names that are no layer of this model.
  public func weights(of layer: String) -> LayerWeights? {
    guard let tensor = layerTensor(layer) else { return nil }
    switch tensor.part {
    case .embedding: return embedding
    case .head: return head
    case .perLayerEmbedding: return perLayer?.embedding
    default: return tensor.block.flatMap { blocks[$0][tensor.part] }
    }
  }

  /// Puts weights into the slot of a layer; the next token is computed with them.
  ///
  /// `lm_head` names the embedding when the model ties them: both lookup and head use the one slot.
  /// - Throws: ``InferenceError`` for names that are no layer, and for weights of another shape.
  public mutating func setLayer(
    _ name: String, _ weights: LayerWeights
  ) throws(InferenceError) {
    guard let tensor = layerTensor(name) else { throw .missing(name: name) }
    try Self.check(weights, fits: tensor)
    let isOnlyLookedUp = tensor.isOnlyLookedUp(in: blueprint)
    let weights = isOnlyLookedUp ? weights : Self.runnable(weights, on: pool)
    switch tensor.part {
    case .embedding: embedding = weights
    case .perLayerEmbedding: perLayer?.embedding = weights
    // What the head computes is not read again.
    case .head:
      head = weights
      return
    default:
      guard let block = tensor.block else { throw .missing(name: name) }
      blocks[block][tensor.part] = weights
    }
    renew()
  }

  /// The weights of a norm by its name, for example `model.layers.3.input_layernorm`, as they multiply; nil for others.
  public func norm(named name: String) -> [Float]? {
    guard let tensor = normTensor(name) else { return nil }
    guard let block = tensor.block else { return finalNorm.weights }
    return blocks[block].norms[tensor.part]?.weights
  }

  /// Replaces the weights of a norm, for example by such as take back scales of the layers that read it.
  ///
  /// - Throws: ``InferenceError`` for names that are no norm, and for another number of weights.
  public mutating func setNorm(_ name: String, _ weights: [Float]) throws(InferenceError) {
    guard let tensor = normTensor(name) else { throw .missing(name: name) }
    try Self.check(weights, fits: tensor)
    if let block = tensor.block {
      blocks[block].norms[tensor.part]?.weights = weights
      renew()
    } else {
      finalNorm.weights = weights
    }
  }

  private func normTensor(_ name: String) -> ModelTensor? {
    tensors[name].flatMap { $0.isNorm && $0.kind == .weight ? $0 : nil }
  }

  private func layerTensor(_ name: String) -> ModelTensor? {
    let isTiedHead = description.tiesEmbeddings && name == ModelDescription.headName
    let tensor = isTiedHead ? tensors.values.first { $0.part == .embedding } : tensors[name]
    return tensor?.role == nil ? nil : tensor
  }

  /// The same weights in the form in which kernels multiply fastest: GGUF's blocks are laid out anew, code for code.
  static func runnable(_ weights: LayerWeights, on pool: WorkerPool) -> LayerWeights {
    switch weights {
    case .stored(let matrix):
      let packed = PackedMatrix(losslessly: matrix, on: pool)
      return packed.map { .packed($0) } ?? .stored(matrix.tiled(on: pool))
    case .packed(let matrix): return .packed(matrix.tiled(on: pool))
    case .stack(let parts): return .stack(parts.map { runnable($0, on: pool) })
    case .floats: return weights
    }
  }
}
