import CKernels

/// Sums and extremes of some values.
public struct ValueRange: Hashable, Sendable {
  /// Sum of squares; not finite if any value is NaN or infinite.
  public let energy: Double
  /// Sum of absolute values.
  public let magnitude: Double
  /// 0 if there are no values.
  public let minimum: Float
  public let maximum: Float
}

/// How a row of weights differs from what it was, as sums that add up over rows.
public struct Comparison: Hashable, Sendable {
  /// Sum of squares before.
  public let signal: Double
  /// Sum of squares after.
  public let result: Double
  /// Sum of products of before and after.
  public let product: Double
  /// Sum of squared differences.
  public let noise: Double
  /// Largest absolute difference.
  public let largestError: Float
  /// How many values are exactly zero after.
  public let zeros: Int
}

extension Matrix {
  /// Sums and extremes of one row.
  public func range(ofRow row: Int) -> ValueRange {
    var range = vk_range()
    withRow(row) { values in vk_measure(Kernels.level, values.baseAddress, columns, &range) }
    return ValueRange(
      energy: range.energy, magnitude: range.magnitude, minimum: range.minimum,
      maximum: range.maximum)
  }

  /// Compares one row with the same row of a compressed copy.
  ///
  /// - Precondition: both matrices have the same shape.
  public func comparison(ofRow row: Int, with after: Matrix) -> Comparison {
    precondition(rows == after.rows && columns == after.columns, "matrices of different shapes")
    var sums = vk_comparison()
    withRow(row) { before in
      after.withRow(row) { after in
        vk_compare(Kernels.level, before.baseAddress, after.baseAddress, columns, &sums)
      }
    }
    return Comparison(
      signal: sums.signal, result: sums.result, product: sums.product, noise: sums.noise,
      largestError: sums.largest_error, zeros: sums.zeros)
  }

  /// Zeroes all but the `kept` largest magnitudes of every `of` consecutive weights of a row.
  ///
  /// Of equal magnitudes the first goes.
  ///
  /// - Precondition: `0 <= kept <= of <= 32`, and `of` divides the columns.
  public mutating func pruneBlocks(kept: Int, of: Int) {
    precondition((1...32).contains(of) && (0...of).contains(kept) && columns % of == 0)
    let count = values.count
    values.withUnsafeMutableBufferPointer { values in
      if let start = values.baseAddress { vk_prune_blocks(Kernels.level, start, count, kept, of) }
    }
  }

  private func withRow<R>(_ row: Int, _ body: (UnsafeBufferPointer<Float>) -> R) -> R {
    precondition(row >= 0 && row < rows, "row outside the matrix")
    return values.withUnsafeBufferPointer { values in
      body(values.extracting(row * columns..<(row + 1) * columns))
    }
  }
}

extension Histogram {
  /// Counts every finite value of a matrix; the same as adding its values, many times faster.
  public mutating func add(_ matrix: Matrix) { add(matrix.values, less: nil) }

  /// Counts `after` minus `before` for every pair of values.
  ///
  /// - Precondition: both matrices have the same shape.
  public mutating func add(_ after: Matrix, less before: Matrix) {
    precondition(after.rows == before.rows && after.columns == before.columns, "one shape")
    add(after.values, less: before.values)
  }

  private mutating func add(_ values: [Float], less before: [Float]?) {
    let bins = counts.count
    var partial = [UInt32](repeating: 0, count: 4 * (bins + 1))
    values.withUnsafeBufferPointer { values in
      before.withPointer { before in
        partial.withUnsafeMutableBufferPointer { partial in
          if let source = values.baseAddress, let destination = partial.baseAddress {
            vk_count_bins(
              Kernels.level, source, before, values.count, lower, Double(bins) / (upper - lower),
              bins, destination)
          }
        }
      }
    }
    for set in 0..<4 {
      for bin in 0..<bins { counts[bin] += Int(partial[set * (bins + 1) + bin]) }
    }
  }
}

/// Sums over vectors of each of their values, and of its square.
public struct MomentSums: Sendable {
  public private(set) var sums: [Double]
  public private(set) var squares: [Double]

  /// Sums over no vector of so many values.
  public init(columns: Int) {
    sums = Array(repeating: 0, count: columns)
    squares = sums
  }

  /// Adds the rows of a matrix, one after the other.
  ///
  /// - Precondition: the columns agree.
  public mutating func add(_ vectors: Matrix) {
    precondition(vectors.columns == sums.count, "columns do not agree")
    vectors.values.withUnsafeBufferPointer { values in
      sums.withUnsafeMutableBufferPointer { sums in
        squares.withUnsafeMutableBufferPointer { squares in
          guard let values = values.baseAddress, let sums = sums.baseAddress,
            let squares = squares.baseAddress
          else { return }
          vk_add_moments(Kernels.level, values, vectors.rows, vectors.columns, sums, squares)
        }
      }
    }
  }

  /// Adds other sums.
  ///
  /// - Precondition: the columns agree.
  public mutating func add(_ other: MomentSums) {
    precondition(other.sums.count == sums.count, "columns do not agree")
    for column in sums.indices {
      sums[column] += other.sums[column]
      squares[column] += other.squares[column]
    }
  }
}
