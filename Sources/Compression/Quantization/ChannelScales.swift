import Tensors

/// Factors that a layer's weights are multiplied by before they are compressed, and that what precedes or follows
/// the layer takes back.
///
/// Column factors s go with inputs divided by s: the norm's weights, or the rows of the layer before. AWQ
/// (arXiv 2306.00978) makes weights of important inputs larger so, which rounds them finer.
public struct ChannelScales: Hashable, Sendable {
  /// A factor for each input channel; nil for ones.
  public var columns: [Float]?
  /// A factor for each output channel; nil for ones.
  public var rows: [Float]?

  /// The weights as they are.
  public static let none = ChannelScales()

  /// - Precondition: all factors are positive and finite.
  public init(columns: [Float]? = nil, rows: [Float]? = nil) {
    let factors = (columns ?? []) + (rows ?? [])
    precondition(factors.allSatisfy { $0 > 0 && $0.isFinite }, "positive factors")
    self.columns = columns
    self.rows = rows
  }

  /// Whether the weights stay as they are.
  public var isNone: Bool { columns == nil && rows == nil }

  /// Multiplies weights by their channels' factors.
  ///
  /// - Parameters:
  ///   - matrix: some rows of the layer.
  ///   - layerRows: which rows they are.
  public func apply(to matrix: inout Matrix, layerRows: [Int]) {
    change(&matrix, layerRows) { $0 * $1 }
  }

  /// Divides weights by their channels' factors: the weights of the original layer that they stand for.
  public func remove(from matrix: inout Matrix, layerRows: [Int]) {
    change(&matrix, layerRows) { $0 / $1 }
  }

  private func change(
    _ matrix: inout Matrix, _ layerRows: [Int], _ operation: (Float, Float) -> Float
  ) {
    precondition(layerRows.count == matrix.rows, "a row of the layer for each row")
    guard !isNone else { return }
    for (row, layerRow) in layerRows.enumerated() {
      let rowFactor = rows?[layerRow] ?? 1
      for column in 0..<matrix.columns {
        matrix[row, column] = operation(matrix[row, column], (columns?[column] ?? 1) * rowFactor)
      }
    }
  }
}

extension InputStatistics {
  /// E[x^2] of inputs divided by a factor each; the factors are those of the weights' columns.
  func secondMoments(dividedBy factors: [Float]?) -> [Float] {
    guard let factors else { return secondMoments }
    return zip(secondMoments, factors).map { $0 / ($1 * $1) }
  }

  /// E[x x^T] of inputs divided by a factor each; nil where it is not known.
  func gram(dividedBy factors: [Float]?) -> Matrix? {
    guard let factors, var gram else { return gram }
    for row in 0..<columns {
      for column in 0..<columns { gram[row, column] /= factors[row] * factors[column] }
    }
    return gram
  }
}
