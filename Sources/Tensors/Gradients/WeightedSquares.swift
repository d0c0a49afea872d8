import CKernels

extension Matrix {
  /// Sum of squares of each row's values in the given columns.
  ///
  /// - Precondition: the columns lie within the matrix.
  public func energies(columns range: Range<Int>) -> [Double] {
    precondition(range.lowerBound >= 0 && range.upperBound <= columns, "columns of the matrix")
    return values.withUnsafeBufferPointer { buffer in
      (0..<rows).map { row in
        let part = buffer.extracting(
          row * columns + range.lowerBound..<row * columns + range.upperBound)
        return vk_energy(Kernels.level, part.baseAddress, part.count)
      }
    }
  }

  /// Sum over columns j of weights[j] * (after_j - before_j)^2 in one row.
  ///
  /// - Precondition: both matrices have the row, and there is a weight for each column.
  public func weightedError(ofRow row: Int, after: Matrix, weights: [Float]) -> Double {
    precondition(row >= 0 && row < rows && row < after.rows, "a row of both matrices")
    precondition(after.columns == columns && weights.count == columns, "the same columns")
    return values.withUnsafeBufferPointer { before in
      after.values.withUnsafeBufferPointer { after in
        let part = row * columns..<(row + 1) * columns
        return vk_weighted_error(
          Kernels.level, before.extracting(part).baseAddress, after.extracting(part).baseAddress,
          weights, columns)
      }
    }
  }
}

extension WorkerPool {
  /// Adds to each sum j the weighted squares of column j: the sum over rows t of weights[t] * x_tj^2.
  ///
  /// - Parameters:
  ///   - matrix: A vector x_t a row.
  ///   - columns: Those that are summed, the first into the first sum.
  ///   - weights: One for each row.
  ///   - sums: One for each column of `columns`.
  /// - Precondition: the counts agree.
  public func addWeightedSquares(
    of matrix: Matrix, columns: Range<Int>, weights: [Double], to sums: inout [Double]
  ) {
    precondition(columns.lowerBound >= 0 && columns.upperBound <= matrix.columns)
    precondition(weights.count == matrix.rows && sums.count == columns.count)
    sums.withUnsafeMutableBufferPointer { sums in
      matrix.values.withUnsafeBufferPointer { x in
        guard let x = x.baseAddress, let sums = sums.baseAddress else { return }
        let squares = ColumnSquares(
          x: x + columns.lowerBound, stride: matrix.columns, weights: weights, sums: sums)
        run(count: columns.count, grain: 128) { squares.add(columns: $0) }
      }
    }
  }
}

/// One call's work; parts are ranges of columns.
private struct ColumnSquares: @unchecked Sendable {
  // Unchecked: parts read shared memory and write disjoint sums.
  let x: UnsafePointer<Float>
  let stride: Int
  let weights: [Double]
  let sums: UnsafeMutablePointer<Double>

  func add(columns: Range<Int>) {
    vk_add_weighted_squares(
      Kernels.level, x + columns.lowerBound, stride, weights.count, columns.count, weights,
      sums + columns.lowerBound)
  }
}
