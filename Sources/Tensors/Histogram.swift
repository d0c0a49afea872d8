/// Counts of values in equal bins over a closed range.
public struct Histogram: Codable, Hashable, Sendable {
  /// Left edge of the first bin.
  public let lower: Double
  /// Right edge of the last bin.
  public let upper: Double
  /// Values in each bin; values beyond the edges are counted in the outermost bins.
  public internal(set) var counts: [Int]

  /// An empty histogram of `bins` equal bins from `lower` to `upper`.
  ///
  /// - Precondition: `bins > 0`; `lower < upper`, or the range is widened to hold one value.
  public init(lower: Double, upper: Double, bins: Int) {
    precondition(bins > 0, "a histogram has bins")
    let isEmpty = !(upper > lower)
    self.lower = isEmpty ? lower - 0.5e-6 : lower
    self.upper = isEmpty ? lower + 0.5e-6 : upper
    counts = Array(repeating: 0, count: bins)
  }

  /// A histogram with the given counts.
  public init(lower: Double, upper: Double, counts: [Int]) {
    self.lower = lower
    self.upper = upper
    self.counts = counts
  }

  /// Number of values counted.
  public var total: Int { counts.reduce(0, +) }

  /// Counts every finite value; NaN and infinities are left out.
  public mutating func add(_ values: some Sequence<Float>) {
    let last = counts.count - 1
    let perUnit = Double(counts.count) / (upper - lower)
    for value in values where value.isFinite {
      let place = (Double(value) - lower) * perUnit
      counts[place <= 0 ? 0 : min(last, Int(min(place, Double(last))))] += 1
    }
  }

  /// Adds the counts of another histogram over the same bins.
  ///
  /// - Precondition: both have the same edges and as many bins.
  public mutating func merge(_ other: Histogram) {
    precondition(
      other.lower == lower && other.upper == upper && other.counts.count == counts.count,
      "histograms over different bins do not merge")
    for bin in counts.indices { counts[bin] += other.counts[bin] }
  }
}
