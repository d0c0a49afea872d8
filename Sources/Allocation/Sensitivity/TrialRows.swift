import Compression
import Tensors

/// Chooses the rows of a layer that schemes are tried on, in slices.
///
/// Rows are drawn with replacement, each with a probability proportional to the KLD that losing it would cost: that is
/// about how rounding's cost is spread, so that few rows estimate the layer's (Hansen and Hurwitz 1943).
public struct TrialSampler: Sendable {
  private let matrix: LayerWeights
  private let layer: String
  private let fisher: LayerFisher
  private var costs: [Double] = []
  private var energy = 0.0

  /// Prepares to read a layer.
  ///
  /// - Precondition: the Fisher estimate has the layer's shape.
  public init(matrix: LayerWeights, layer: String, fisher: LayerFisher) {
    precondition(
      fisher.outputs.count == matrix.rows && fisher.inputs.count == matrix.columns,
      "the layer's own Fisher estimate")
    self.matrix = matrix
    self.layer = layer
    self.fisher = fisher
    costs.reserveCapacity(matrix.rows)
  }

  public var isFinished: Bool { costs.count == matrix.rows }

  /// Reads at most `rows` more rows.
  ///
  /// - Throws: ``CompressionError`` that names the first row with a NaN or an infinity.
  public mutating func step(rows: Int) throws(CompressionError) {
    let range = costs.count..<min(matrix.rows, costs.count + max(1, rows))
    guard !range.isEmpty else { return }
    let slice = matrix.decoded(rows: range)
    let nothing = Matrix(rows: slice.rows, columns: slice.columns)
    let divergences = fisher.divergences(before: slice, after: nothing, rows: Array(range))
    for (place, row) in range.enumerated() {
      let part = slice.range(ofRow: place).energy
      guard part.isFinite else {
        throw CompressionError(
          layer: layer, row: row, reason: "holds a NaN or an infinity; the checkpoint is damaged")
      }
      energy += part
      costs.append(divergences[place])
    }
  }

  /// Draws the rows.
  ///
  /// - Parameter count: Draws; at least 2.
  /// - Returns: nil unless ``isFinished``.
  public func finish(count: Int = TrialRows.defaultCount) -> TrialRows? {
    guard isFinished else { return nil }
    let sample = RowSample(sizes: costs, layer: layer, size: max(2, count))
    return TrialRows(sample: sample, fisher: fisher, energy: energy)
  }
}

/// Rows of a layer that stand for all of it, and what errors in them say of the layer's KLD.
public struct TrialRows: Sendable {
  /// Draws that estimate a KLD to within some 5 to 10 %.
  public static let defaultCount = 48

  private let sample: RowSample
  private let fisher: LayerFisher
  /// Sum of the squares of all of the layer's weights.
  public let energy: Double

  init(sample: RowSample, fisher: LayerFisher, energy: Double) {
    self.sample = sample
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
