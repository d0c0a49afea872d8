import Glibc
import Tensors

/// Error sums of a layer, row after row, and the report that follows from them.
struct ErrorTally: Sendable {
  /// Channels that a report lists.
  static let worstCount = 16

  private let before: Histogram
  private var after: Histogram
  private var difference = DifferenceHistogram()
  private var channels: [Comparison] = []

  /// An empty tally over the bins of the layer's profile.
  init(profile: RowProfile) {
    before = profile.weights
    after = Histogram(
      lower: before.lower, upper: before.upper, bins: profile.weights.counts.count)
    channels.reserveCapacity(profile.energies.count)
  }

  /// Rows counted so far.
  var rows: Int { channels.count }

  /// No rows, over the same bins: what is counted in it can be merged.
  var empty: ErrorTally {
    var tally = self
    tally.channels = []
    tally.difference = DifferenceHistogram()
    tally.after = Histogram(lower: before.lower, upper: before.upper, bins: before.counts.count)
    return tally
  }

  /// Adds what was counted of the rows that follow.
  mutating func merge(_ other: ErrorTally) {
    channels += other.channels
    after.merge(other.after)
    difference.merge(other.difference)
  }

  /// Counts the next rows of the layer.
  mutating func add(_ slice: CompressedRows) {
    let comparisons = (0..<slice.before.rows).map {
      slice.before.comparison(ofRow: $0, with: slice.after)
    }
    channels += comparisons
    after.add(slice.after)
    difference.add(
      slice.before, slice.after, largest: comparisons.map(\.largestError).max() ?? 0)
  }

  /// The exact report of the layer, once all of its rows are counted.
  func report(
    shape: LayerShape, scheme: Scheme, size: LayerSize, missedExperts: [Int]
  ) -> LayerReport {
    let weights = Double(shape.rows * shape.columns)
    func sum(_ part: (Comparison) -> Double) -> Double { channels.reduce(0) { $0 + part($1) } }
    let (signal, noise) = (sum(\.signal), sum(\.noise))
    let error = WeightError(
      mse: noise / weights, sqnr: decibels(signal: signal, noise: noise), sqnrBand: 0,
      cosine: cosine(sum(\.product), signal, sum(\.result)),
      maxError: Double(channels.map(\.largestError).max() ?? 0))
    return LayerReport(
      layer: shape.name, scheme: scheme, standing: .exact, size: size,
      bitsPerWeight: 8 * Double(size.total) / weights, error: error,
      zeroFraction: sum { Double($0.zeros) } / weights, before: before, after: after,
      difference: difference.histogram,
      worstChannels: worstChannels(
        Array(channels.enumerated()), columns: shape.columns, count: Self.worstCount),
      missedExperts: missedExperts)
  }
}

/// 10 log10 of signal over noise, in dB; nil when there is no noise.
func decibels(signal: Double, noise: Double) -> Double? {
  noise > 0 ? 10 * log10(signal / noise) : nil
}

/// Cosine of the angle between two vectors from their product and squared lengths; 1 if both are
/// zero, 0 if one is.
func cosine(_ product: Double, _ first: Double, _ second: Double) -> Double {
  if first == 0 && second == 0 { return 1 }
  let length = (first * second).squareRoot()
  return length > 0 ? min(1, max(-1, product / length)) : 0
}

/// The channels of lowest SQNR, worst first.
func worstChannels(
  _ channels: [(offset: Int, element: Comparison)], columns: Int, count: Int
) -> [ChannelError] {
  func share(_ sums: Comparison) -> Double { sums.signal > 0 ? sums.noise / sums.signal : 0 }
  let sorted = channels.sorted { (share($1.element), $0.offset) < (share($0.element), $1.offset) }
  return sorted.prefix(count).map { channel, sums in
    ChannelError(
      channel: channel, mse: sums.noise / Double(columns),
      sqnr: decibels(signal: sums.signal, noise: sums.noise),
      maxError: Double(sums.largestError))
  }
}
