import Compression
import Tensors

extension Matrix {
  /// Each row times the root of its weight.
  fileprivate func rowsScaled(_ weights: [Float]) -> Matrix {
    var scaled = self
    for (row, weight) in weights.enumerated() {
      let factor = weight.squareRoot()
      for column in 0..<columns { scaled[row, column] *= factor }
    }
    return scaled
  }
}

/// Sums over the vectors that one site's layers read.
struct InputSums: Sendable {
  private var count = 0
  private var sums: [Double]
  private var squares: [Double]
  private var gram: GramSum?

  /// Sums over no vector of `columns` values, with those of all pairs where `need` is a Gram matrix.
  init(columns: Int, need: CalibrationNeed) {
    sums = Array(repeating: 0, count: columns)
    squares = sums
    gram = need == .gram ? GramSum(columns: columns) : nil
  }

  /// Adds one vector a row.
  ///
  /// - Parameters:
  ///   - inputs: The vectors.
  ///   - weights: How much each counts in the Gram matrix, 0 or more; nil for all alike.
  ///   - pool: The threads that share the work.
  mutating func add(_ inputs: Matrix, weights: [Float]? = nil, on pool: WorkerPool) {
    count += inputs.rows
    for row in 0..<inputs.rows {
      for (column, input) in inputs.row(row).enumerated() {
        let value = Double(input)
        sums[column] += value
        squares[column] += value * value
      }
    }
    gram?.add(weights.map(inputs.rowsScaled) ?? inputs, on: pool)
  }

  mutating func add(_ other: InputSums) {
    count += other.count
    for column in sums.indices {
      sums[column] += other.sums[column]
      squares[column] += other.squares[column]
    }
    if let gram = other.gram { self.gram?.add(gram) }
  }

  /// nil before the first vector.
  var statistics: InputStatistics? {
    guard count > 0 else { return nil }
    let tokens = Double(count)
    return InputStatistics(
      tokens: count, means: sums.map { Float($0 / tokens) },
      secondMoments: squares.map { Float($0 / tokens) }, gram: gram?.mean())
  }
}
