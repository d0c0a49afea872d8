import Tensors

extension LayerSource {
  /// The format in which ``read()`` will hold codes, known without reading them; nil where it has numbers or GGUF's blocks.
  var heldFormat: WeightFormat? {
    switch self {
    case .quantized(let layer): layer.heldFormat
    case .weights(let weights): weights.heldFormat
    case .stack(let parts): parts.first?.heldFormat
    case .alternating(let source, _): source.heldFormat
    case .transposed, .tiled: nil
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
