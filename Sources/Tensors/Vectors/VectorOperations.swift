import CKernels

extension Matrix {
  /// Each row x as x / sqrt(mean(x^2) + epsilon) * weight.
  ///
  /// Source: Zhang and Sennrich, Root Mean Square Layer Normalization (2019).
  /// - Precondition: `weight.count == columns`.
  public func rmsNormalized(by weight: [Float], epsilon: Float) -> Matrix {
    precondition(weight.count == columns, "a weight for each column")
    return mapRows(to: columns) { source, destination in
      vk_rms_norm(Kernels.level, source, weight, columns, epsilon, destination)
    }
  }

  /// Each row, of which the first half is the gate g and the second u, as silu(g) * u.
  ///
  /// Source: Shazeer, GLU Variants Improve Transformer (2020).
  /// - Precondition: the columns are even in number.
  public func gatedSilu() -> Matrix {
    precondition(columns % 2 == 0, "a gate for each value")
    let half = columns / 2
    return mapRows(to: half) { source, destination in
      vk_gated_silu(Kernels.level, source, source + half, half, destination)
    }
  }

  /// Adds the other matrix, value by value.
  ///
  /// - Precondition: both have the same shape.
  public mutating func add(_ other: Matrix) {
    precondition(rows == other.rows && columns == other.columns, "the same shape")
    values.withUnsafeMutableBufferPointer { sums in
      vk_add(Kernels.level, other.values, sums.count, sums.baseAddress)
    }
  }

  private func mapRows(
    to newColumns: Int, _ body: (UnsafePointer<Float>, UnsafeMutablePointer<Float>) -> Void
  ) -> Matrix {
    let count = rows * newColumns
    let result = [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
      values.withUnsafeBufferPointer { source in
        guard let from = source.baseAddress, let to = buffer.baseAddress else { return }
        for row in 0..<rows { body(from + row * columns, to + row * newColumns) }
      }
      initialized = count
    }
    return Matrix(rows: rows, columns: newColumns, values: result)
  }
}
