import CKernels

/// The angles by which RoPE turns the pairs of one position's heads.
///
/// Source: Su et al., RoFormer: Enhanced Transformer with Rotary Position Embedding (2021).
public struct Rotation: Sendable {
  /// Which of a head's values make a pair, where n is the number of angles.
  public enum Pairing: Hashable, Sendable {
    /// (i, i + n), as most Hugging Face checkpoints have their rows.
    case halves
    /// (2i, 2i + 1), as the paper has them: GLM, Cohere, DeepSeek.
    case neighbours
  }

  /// Cosine and sine of each pair's angle.
  let cosines: [Float]
  let sines: [Float]
  let pairing: Pairing

  /// The rotation by the given angles, one a pair.
  ///
  /// - Precondition: as many cosines as sines.
  public init(cosines: [Float], sines: [Float], pairing: Pairing = .halves) {
    precondition(cosines.count == sines.count, "a sine for each cosine")
    self.cosines = cosines
    self.sines = sines
    self.pairing = pairing
  }

  /// The rotation back: what RoPE does to gradients.
  public var inverse: Rotation {
    Rotation(cosines: cosines, sines: sines.map { -$0 }, pairing: pairing)
  }
}

extension Matrix {
  /// Turns the heads that start at column `column` of row `row`.
  ///
  /// - Parameters:
  ///   - row: The row whose heads turn.
  ///   - column: Where the first head starts.
  ///   - heads: How many follow each other.
  ///   - headSize: Values of a head, of which the first two for each angle turn and the others stay; nil is exactly
  ///     those that turn.
  ///   - rotation: That of the row's position.
  /// - Precondition: the row holds that many heads, each of at least twice as many values as there are angles.
  public mutating func rotate(
    row: Int, column: Int, heads: Int, headSize: Int? = nil, by rotation: Rotation
  ) {
    let pairs = rotation.cosines.count
    let headSize = headSize ?? pairs * 2
    precondition(row >= 0 && row < rows && column >= 0 && heads >= 0, "a row of the matrix")
    precondition(headSize >= pairs * 2, "two values for each angle")
    precondition(column + heads * headSize <= columns, "heads within the row")
    let start = row * columns + column
    values.withUnsafeMutableBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return }
      vk_rotate(
        Kernels.level, base + start, heads, headSize, pairs,
        rotation.pairing == .neighbours ? 1 : 0,
        rotation.cosines, rotation.sines)
    }
  }
}
