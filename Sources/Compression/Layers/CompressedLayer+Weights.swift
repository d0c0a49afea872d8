import Tensors

extension CompressedLayer {
  /// The layer whose slot in the running model holds `weights`: the inverse of ``weights``.
  ///
  /// - Parameters:
  ///   - shape: the layer without its weights.
  ///   - scheme: what made the weights of it.
  ///   - weights: of the layer's shape; in the scheme's type, or of the layer's 16-bit type if it only prunes.
  public init(shape: LayerShape, scheme: Scheme, weights: LayerWeights) {
    let isKept = scheme.quantization == nil && scheme.sparsity == nil
    let weights = isKept ? weights : weights.joined()
    let storage: LayerStorage =
      switch weights {
      case .packed(let matrix): .packed(matrix)
      case .floats(let matrix): .floats(matrix)
      case .stored(let matrix) where scheme.quantization != nil: .blocks(matrix)
      case .stored(let matrix) where scheme.sparsity != nil: .dense16(matrix.bits)
      case .stored, .stack: .original(weights)
      }
    self.init(shape: shape, scheme: scheme, storage: storage)
  }
}

extension StoredMatrix {
  /// The elements of a matrix of 16-bit floats in plain order.
  fileprivate var bits: [UInt16] {
    storage.integers(in: offset..<offset + byteCount, as: UInt16.self)
  }
}
