import Compression
import Tensors

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
  mutating func add(_ inputs: Matrix, on pool: WorkerPool) {
    count += inputs.rows
    for row in 0..<inputs.rows {
      for (column, input) in inputs.row(row).enumerated() {
        let value = Double(input)
        sums[column] += value
        squares[column] += value * value
      }
    }
    gram?.add(inputs, on: pool)
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
