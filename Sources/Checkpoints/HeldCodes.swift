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
  ///
  /// Nil for a stack too: its matrices may be held in different codes, or with different divisors.
  public func heldCodes(of layer: String) -> HeldCodes? {
    switch layers[layer] {
    case .quantized(let layer): layer.heldCodes
    case .weights(.packed(let matrix)):
      .integers(
        bits: matrix.bits, groupSize: matrix.groupSize, isSymmetric: matrix.zeros == .symmetric)
    case .weights(.floats(let matrix)): .floats(matrix.format)
    case .weights(.stored), .weights(.stack), nil: nil
    }
  }
}
