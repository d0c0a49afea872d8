import Tensors

/// What a layer's weights look like, whatever is done to them: computed once a layer, then kept.
///
/// Samples, histograms of reports and pruning thresholds are drawn from it.
public struct RowProfile: Hashable, Sendable {
  /// Bins of the histograms in reports.
  public static let bins = 128

  /// Sum of squared weights of each row.
  public let energies: [Double]
  /// Mean absolute weight of each row.
  public let meanMagnitudes: [Double]
  /// The smallest and the largest weight.
  public let minimum: Float
  public let maximum: Float
  /// All weights in ``bins`` bins from the smallest to the largest.
  public let weights: Histogram
  /// How the magnitudes are spread.
  public let magnitudes: MagnitudeTable
  /// Sum of all squared weights.
  public let energy: Double
  /// Rows that hold nothing but zeros.
  public let zeroRows: Int

  init(
    energies: [Double], meanMagnitudes: [Double], weights: Histogram, extremes: (Float, Float),
    counts: [UInt32]
  ) {
    self.energies = energies
    self.meanMagnitudes = meanMagnitudes
    self.weights = weights
    (minimum, maximum) = extremes
    magnitudes = MagnitudeTable(counts: counts)
    energy = energies.reduce(0, +)
    zeroRows = energies.count { $0 == 0 }
  }
}

/// Computes a ``RowProfile`` in slices.
public struct RowProfiler: Sendable {
  private let matrix: LayerWeights
  private let layer: String
  private var energies: [Double] = []
  private var meanMagnitudes: [Double] = []
  private var minimum = Float.infinity
  private var maximum = -Float.infinity
  private var steps = [UInt32](repeating: 0, count: MagnitudeTable.steps)
  private var histogram: Histogram?
  private var countedRows = 0

  /// Prepares to read a layer.
  public init(matrix: LayerWeights, layer: String) {
    self.matrix = matrix
    self.layer = layer
    energies.reserveCapacity(matrix.rows)
    meanMagnitudes.reserveCapacity(matrix.rows)
  }

  /// Rows of work done, of ``totalRows``: each row is read twice.
  public var completedRows: Int { energies.count + countedRows }
  public var totalRows: Int { 2 * matrix.rows }
  public var isFinished: Bool { completedRows == totalRows }

  /// Reads at most `rows` more rows.
  ///
  /// - Throws: ``CompressionError`` that names the first row with a NaN or an infinity.
  public mutating func step(rows: Int) throws(CompressionError) {
    if energies.count < matrix.rows {
      let end = min(matrix.rows, energies.count + max(1, rows))
      try measure(rows: energies.count..<end)
    } else if countedRows < matrix.rows {
      let end = min(matrix.rows, countedRows + max(1, rows))
      var counts =
        histogram
        ?? Histogram(lower: Double(minimum), upper: Double(maximum), bins: RowProfile.bins)
      counts.add(matrix.decoded(rows: countedRows..<end))
      histogram = counts
      countedRows = end
    }
  }

  private mutating func measure(rows: Range<Int>) throws(CompressionError) {
    let slice = matrix.decoded(rows: rows)
    for row in rows {
      let range = slice.range(ofRow: row - rows.lowerBound)
      guard range.energy.isFinite else {
        throw CompressionError(
          layer: layer, row: row, reason: "holds a NaN or an infinity; the checkpoint is damaged")
      }
      energies.append(range.energy)
      meanMagnitudes.append(range.magnitude / Double(matrix.columns))
      minimum = min(minimum, range.minimum)
      maximum = max(maximum, range.maximum)
    }
    for weight in slice.values { steps[MagnitudeTable.step(of: weight)] &+= 1 }
  }

  /// The profile, once ``isFinished``; nil before.
  public func finish() -> RowProfile? {
    guard isFinished, let histogram = histogram else { return nil }
    return RowProfile(
      energies: energies, meanMagnitudes: meanMagnitudes, weights: histogram,
      extremes: (minimum, maximum), counts: steps)
  }
}
