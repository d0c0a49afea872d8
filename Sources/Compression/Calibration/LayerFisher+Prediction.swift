import Tensors

extension LayerFisher {
  /// The KLD that errors in some rows of the layer cost.
  ///
  /// It is the sum over i, j of outputs_i inputs_j D_ij^2 / (2 trace). It holds for errors that do not depend on each
  /// other, as rounding's; it overstates those of methods that let errors cancel, such as GPTQ's.
  /// - Parameters:
  ///   - before: The weights of the rows.
  ///   - after: What they became.
  ///   - rows: Which rows of the layer they are.
  /// - Returns: Nats a token, row by row; over all rows they add up to the layer's.
  /// - Precondition: the shapes agree with each other and with the layer.
  public func divergences(before: Matrix, after: Matrix, rows: [Int]) -> [Double] {
    precondition(before.rows == rows.count && after.rows == rows.count, "matrices of these rows")
    guard trace > 0 else { return rows.map { _ in 0 } }
    return rows.enumerated().map { place, row in
      Double(outputs[row]) / (2 * trace)
        * before.weightedError(ofRow: place, after: after, weights: inputs)
    }
  }

  /// The KLD that errors in the whole layer cost, in nats a token.
  ///
  /// - Precondition: both matrices have the layer's shape.
  public func divergence(before: Matrix, after: Matrix) -> Double {
    divergences(before: before, after: after, rows: Array(outputs.indices)).reduce(0, +)
  }

  /// The KLD that it costs to remove input channels, each alone.
  ///
  /// - Parameters:
  ///   - weights: The layer's weights.
  ///   - pool: The threads that share the columns.
  /// - Returns: Nats a token for each column.
  /// - Precondition: the weights have the layer's shape.
  public func columnDivergences(of weights: Matrix, on pool: WorkerPool) -> [Double] {
    guard trace > 0 else { return inputs.map { _ in 0 } }
    var sums = [Double](repeating: 0, count: weights.columns)
    pool.addWeightedSquares(
      of: weights, columns: 0..<weights.columns, weights: outputs.map(Double.init), to: &sums)
    return zip(sums, inputs).map { $0 * Double($1) / (2 * trace) }
  }

  /// The KLD that noise of as much energy as the weights would cost.
  ///
  /// By this factor the KLD of independent errors of any size grows with their relative energy.
  /// - Parameter energy: Sum of squares of the layer's weights.
  /// - Returns: Nats a token.
  public func divergencePerRelativeError(energy: Double) -> Double {
    trace * energy / (2 * Double(inputs.count) * Double(outputs.count))
  }
}
