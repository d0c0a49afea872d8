import Tensors

/// Pruning by weights and inputs (arXiv 2306.11695): what counts is |w_ij| sqrt(E[x_j^2]), within each row.
enum Wanda {
  /// Inputs that calibration never saw count this share of the mean, so that among their weights magnitude decides.
  private static let least: Float = 1e-6

  /// What the magnitudes of each column's weights are multiplied by; all positive.
  static func factors(secondMoments: [Float]) -> [Float] {
    let roots = secondMoments.map { max($0, 0).squareRoot() }
    let mean = roots.reduce(0) { $0 + Double($1) } / Double(max(roots.count, 1))
    guard mean > 0 else { return roots.map { _ in 1 } }
    return roots.map { max($0 / Float(mean), least) }
  }
}

extension SparsityPattern {
  /// Zeros of one row of a layer, so that all rows together have as many as the layer is to have.
  func zeros(inRow row: Int, columns: Int) -> Int {
    zeros(rows: row + 1, columns: columns) - zeros(rows: row, columns: columns)
  }
}
