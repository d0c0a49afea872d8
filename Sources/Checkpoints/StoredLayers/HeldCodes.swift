import Tensors

/// The codes that a layer of a checkpoint is held in, known without reading them.
public enum HeldCodes: Hashable, Sendable {
  /// Integers of so many bits, with a scale for `groupSize` weights of a row.
  case integers(bits: Int, groupSize: Int, isSymmetric: Bool)
  /// Floats of 8 or 4 bits.
  case floats(FloatFormat)
}

extension Checkpoint {
  /// What ``matrix(of:)`` will hold a layer's codes as; nil where it has numbers, GGUF's blocks, or no such layer.
  public func heldCodes(of layer: String) -> HeldCodes? { layers[layer]?.heldCodes }
}

extension LayerSource {
  fileprivate var heldCodes: HeldCodes? {
    switch self {
    case .quantized(let layer): layer.heldCodes
    case .weights(let weights): weights.heldCodes
    case .stack(let parts): parts.first?.heldCodes
    case .transposed: nil
    }
  }
}

extension LayerWeights {
  fileprivate var heldCodes: HeldCodes? {
    switch self {
    case .packed(let matrix):
      .integers(
        bits: matrix.bits, groupSize: matrix.groupSize, isSymmetric: matrix.zeros == .symmetric)
    case .floats(let matrix): .floats(matrix.format)
    case .stored: nil
    case .stack(let parts): parts.first?.heldCodes
    }
  }
}
