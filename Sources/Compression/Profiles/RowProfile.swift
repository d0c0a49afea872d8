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
  /// - Parameters:
  ///   - rows: how many.
  ///   - pool: threads that share them.
  /// - Throws: ``CompressionError`` that names the first row with a NaN or an infinity.
  public mutating func step(rows: Int, pool: WorkerPool? = nil) throws(CompressionError) {
    if energies.count < matrix.rows {
      let end = min(matrix.rows, energies.count + max(1, rows))
      try measure(rows: energies.count..<end, pool)
    } else if countedRows < matrix.rows {
      let end = min(matrix.rows, countedRows + max(1, rows))
      let empty =
        histogram
        ?? Histogram(lower: Double(minimum), upper: Double(maximum), bins: RowProfile.bins)
      let matrix = matrix
      let parts = Self.map(countedRows..<end, pool) { rows in
        var counts = Histogram(lower: empty.lower, upper: empty.upper, bins: RowProfile.bins)
        counts.add(matrix.decoded(rows: rows))
        return counts
      }
      histogram = parts.reduce(into: empty) { $0.merge($1) }
      countedRows = end
    }
  }

  /// What was found of some rows.
  private struct Measured: Sendable {
    let ranges: [ValueRange]
    let steps: [UInt32]
  }

  private mutating func measure(
    rows: Range<Int>, _ pool: WorkerPool?
  ) throws(CompressionError) {
    let matrix = matrix
    let parts = Self.map(rows, pool) { rows in
      let slice = matrix.decoded(rows: rows)
      var steps = [UInt32](repeating: 0, count: MagnitudeTable.steps)
      for weight in slice.values { steps[MagnitudeTable.step(of: weight)] &+= 1 }
      return Measured(ranges: (0..<slice.rows).map { slice.range(ofRow: $0) }, steps: steps)
    }
    for range in parts.flatMap(\.ranges) {
      guard range.energy.isFinite else {
        throw CompressionError(
          layer: layer, row: energies.count,
          reason: "holds a NaN or an infinity; the checkpoint is damaged")
      }
      energies.append(range.energy)
      meanMagnitudes.append(range.magnitude / Double(matrix.columns))
      minimum = min(minimum, range.minimum)
      maximum = max(maximum, range.maximum)
    }
    for part in parts {
      for (step, count) in part.steps.enumerated() { steps[step] &+= count }
    }
  }

  /// What `body` makes of parts of some rows, one for each thread.
  private static func map<Result: Sendable>(
    _ rows: Range<Int>, _ pool: WorkerPool?, _ body: @Sendable (Range<Int>) -> Result
  ) -> [Result] {
    let parts = max(1, min(pool?.threadCount ?? 1, rows.count))
    @Sendable func part(_ part: Int) -> Result {
      let (first, last) = (part * rows.count / parts, (part + 1) * rows.count / parts)
      return body(rows.lowerBound + first..<rows.lowerBound + last)
    }
    return pool?.map(count: parts, part) ?? (0..<parts).map(part)
  }

  /// The profile, once ``isFinished``; nil before.
  public func finish() -> RowProfile? {
    guard isFinished, let histogram = histogram else { return nil }
    return RowProfile(
      energies: energies, meanMagnitudes: meanMagnitudes, weights: histogram,
      extremes: (minimum, maximum), counts: steps)
  }
}
