import Compression
import Tensors
import Work

/// Rows of a layer that stand for all of it, and what errors in them say of the layer's KLD.
public struct TrialRows: Sendable {
  /// Draws that estimate a KLD to within some 5 to 10 %.
  public static let defaultCount = 48

  private let sample: RowSample
  private let fisher: LayerFisher
  /// Sum of the squares of all of the layer's weights.
  public let energy: Double

  /// Draws rows of a layer with replacement, each with a probability proportional to the KLD that losing it would cost:
  /// that is about how rounding's cost is spread, so that few rows estimate the layer's (Hansen and Hurwitz 1943).
  ///
  /// - Parameters:
  ///   - matrix: all of the layer's weights, which are read once.
  ///   - layer: its name.
  ///   - fisher: the layer's own.
  ///   - count: draws; at least 2.
  ///   - rowsASlice: read between two ticks; by default some milliseconds' worth.
  ///   - pace: of reading.
  /// - Throws: ``CompressionError`` that names the first row with a NaN or an infinity.
  /// - Precondition: the Fisher estimate has the layer's shape.
  public init(
    of matrix: LayerWeights, layer: String, fisher: LayerFisher,
    count: Int = TrialRows.defaultCount, rowsASlice: Int? = nil, pace: Pace = .unwatched
  ) throws(CompressionError) {
    precondition(
      fisher.outputs.count == matrix.rows && fisher.inputs.count == matrix.columns,
      "the layer's own Fisher estimate")
    let length = rowsASlice ?? max(1, (1 << 18) / matrix.columns)
    var costs: [Double] = []
    costs.reserveCapacity(matrix.rows)
    var energy = 0.0
    for start in stride(from: 0, to: matrix.rows, by: length) {
      let rows = start..<min(matrix.rows, start + length)
      let slice = matrix.decoded(rows: rows)
      let nothing = Matrix(rows: slice.rows, columns: slice.columns)
      costs += fisher.divergences(before: slice, after: nothing, rows: Array(rows))
      for (place, row) in rows.enumerated() {
        let part = slice.range(ofRow: place).energy
        guard part.isFinite else {
          throw CompressionError(
            layer: layer, row: row, reason: "holds a NaN or an infinity; the checkpoint is damaged")
        }
        energy += part
      }
      try pace.advance(to: Double(rows.upperBound) / Double(matrix.rows), layer: layer)
    }
    sample = RowSample(sizes: costs, layer: layer, size: max(2, count))
    self.fisher = fisher
    self.energy = energy
  }

  /// The rows, ascending, each once.
  public var rows: [Int] { sample.draws.map(\.row) }

  /// The layer's KLD for what a scheme made of the rows.
  ///
  /// - Parameters:
  ///   - before: the weights of ``rows``.
  ///   - after: what they became.
  ///   - shares: for each row what ``cancellation(before:after:gram:)`` says, for methods that let errors cancel:
  ///     the row's KLD is scaled by it, as far as rows are not looked up. Otherwise nil.
  /// - Returns: nats a token, with the standard error of sampling rows.
  public func divergence(
    before: Matrix, after: Matrix, cancellation shares: [Double]? = nil
  ) -> (value: Double, standardError: Double) {
    var parts = fisher.divergences(before: before, after: after, rows: rows)
    if let shares {
      let lookups = fisher.lookupShare
      for row in parts.indices { parts[row] *= lookups + (1 - lookups) * shares[row] }
    }
    // Each draw estimates the sum over all rows by its row's part over its probability.
    let size = Double(sample.size)
    let estimates = zip(sample.draws, parts).map { draw, part in
      (count: Double(draw.count), value: draw.probability > 0 ? part / draw.probability : 0)
    }
    let mean = estimates.reduce(0) { $0 + $1.count * $1.value } / size
    let squares = estimates.reduce(0) { sum, draw in
      sum + draw.count * (draw.value - mean) * (draw.value - mean)
    }
    return (mean, (squares / (size * (size - 1))).squareRoot())
  }

  /// What the output error of each row is in truth, over what it would be if errors did not depend on each other: d A d^T
  /// over the sum of A_jj d_j^2 for each row d of errors.
  ///
  /// - Parameters:
  ///   - before: rows of weights.
  ///   - after: what they became.
  ///   - gram: second moments of all pairs of the channels that they read, from tokens that the scheme was not fitted to.
  /// - Returns: a ratio a row; 1 for rows without errors.
  public static func cancellation(before: Matrix, after: Matrix, gram: Matrix) -> [Double] {
    let errors = Matrix(
      rows: before.rows, columns: before.columns,
      values: zip(after.values, before.values).map { $0 - $1 })
    let diagonal = (0..<gram.rows).map { gram[$0, $0] }
    let nothing = Matrix(rows: errors.rows, columns: errors.columns)
    return errors.quadraticForms(gram).enumerated().map { row, full in
      let independent = errors.weightedError(ofRow: row, after: nothing, weights: diagonal)
      return independent > 0 ? max(full, 0) / independent : 1
    }
  }
}
