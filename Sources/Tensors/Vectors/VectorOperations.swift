import CKernels

extension Matrix {
  /// Adds the other matrix, value by value.
  ///
  /// - Precondition: both have the same shape.
  public mutating func add(_ other: Matrix) {
    precondition(rows == other.rows && columns == other.columns, "the same shape")
    values.withUnsafeMutableBufferPointer { sums in
      vk_add(Kernels.level, other.values, sums.count, sums.baseAddress)
    }
  }

  /// Multiplies every value by the other matrix's.
  ///
  /// - Precondition: both have the same shape.
  public mutating func multiply(by other: Matrix) {
    precondition(rows == other.rows && columns == other.columns, "the same shape")
    values.withUnsafeMutableBufferPointer { products in
      vk_multiply(Kernels.level, other.values, products.count, products.baseAddress)
    }
  }

  /// Adds a bias to each row, from column `column` on.
  ///
  /// - Precondition: the bias ends within the row.
  public mutating func addToRows(_ bias: [Float], column: Int = 0) {
    precondition(column >= 0 && column + bias.count <= columns, "a bias within the row")
    let (rows, columns) = (rows, columns)
    values.withUnsafeMutableBufferPointer { sums in
      guard let sums = sums.baseAddress else { return }
      for row in 0..<rows {
        vk_add(Kernels.level, bias, bias.count, sums + row * columns + column)
      }
    }
  }

  /// Multiplies every value.
  public mutating func scale(by factor: Float) {
    values.withUnsafeMutableBufferPointer { buffer in
      vk_scale(Kernels.level, factor, buffer.count, buffer.baseAddress)
    }
  }

  /// Makes every value x `cap` tanh(x / `cap`), which lies between -`cap` and `cap`.
  ///
  /// Source: Bello et al., Neural Combinatorial Optimization (2016), as Gemma 2 caps its logits.
  /// - Precondition: `cap` is positive.
  public mutating func softcap(_ cap: Float) {
    precondition(cap > 0, "values have a bound")
    values.withUnsafeMutableBufferPointer { buffer in
      vk_softcap(Kernels.level, cap, buffer.count, buffer.baseAddress)
    }
  }

  /// Calls `body` with each row and a row of a new matrix of `newColumns` to fill.
  func mapRows(
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
