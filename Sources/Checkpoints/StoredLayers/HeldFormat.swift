import Tensors

extension Checkpoint {
  /// The format in which ``matrix(of:)`` will hold a layer's codes, known without reading them; nil where it has numbers,
  /// GGUF's blocks, or no such layer.
  public func heldFormat(of layer: String) -> WeightFormat? { layers[layer]?.heldFormat }
}

extension LayerSource {
  fileprivate var heldFormat: WeightFormat? {
    switch self {
    case .quantized(let layer): layer.heldFormat
    case .weights(let weights): weights.heldFormat
    case .stack(let parts): parts.first?.heldFormat
    case .transposed: nil
    }
  }
}

extension LayerWeights {
  var heldFormat: WeightFormat? {
    switch self {
    case .packed(let matrix):
      .integer(
        bits: matrix.bits,
        sharing: ScaleSharing(groupSize: matrix.groupSize, columns: matrix.columns),
        isSymmetric: matrix.zeros == .symmetric)
    case .floats(let matrix): WeightFormat(matrix.format)
    case .stored: nil
    case .stack(let parts): parts.first?.heldFormat
    }
  }
}
