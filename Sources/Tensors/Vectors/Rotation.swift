import CKernels

/// The angles by which RoPE turns the pairs of one position's heads.
///
/// Pairs are (i, i + headSize / 2), as in Hugging Face checkpoints.
public struct Rotation: Sendable {
  /// Cosine and sine of each pair's angle.
  let cosines: [Float]
  let sines: [Float]

  /// The rotation by the given angles, one a pair.
  ///
  /// - Precondition: as many cosines as sines.
  public init(cosines: [Float], sines: [Float]) {
    precondition(cosines.count == sines.count, "a sine for each cosine")
    self.cosines = cosines
    self.sines = sines
  }
}

extension Matrix {
  /// Turns the heads that start at column `column` of row `row`.
  ///
  /// - Precondition: the row holds that many heads of twice as many values as there are angles.
  public mutating func rotate(row: Int, column: Int, heads: Int, by rotation: Rotation) {
    let headSize = rotation.cosines.count * 2
    precondition(row >= 0 && row < rows && column >= 0 && heads >= 0, "a row of the matrix")
    precondition(column + heads * headSize <= columns, "heads within the row")
    let start = row * columns + column
    values.withUnsafeMutableBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return }
      vk_rotate(
        Kernels.level, base + start, heads, headSize, rotation.cosines, rotation.sines)
    }
  }
}
