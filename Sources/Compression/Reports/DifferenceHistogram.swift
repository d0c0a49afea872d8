import Tensors

/// A histogram about zero that grows with what it is given.
///
/// Its edges are powers of two, so that it comes out the same whatever order slices arrive in:
/// doubling the range joins bins in pairs.
struct DifferenceHistogram: Sendable {
  // Below this no difference matters, and none is told apart.
  private static let smallestExponent = -24

  private(set) var histogram: Histogram

  init(bins: Int = RowProfile.bins) {
    precondition(bins % 2 == 0, "zero lies between two bins")
    let edge = Double(sign: .plus, exponent: Self.smallestExponent, significand: 1)
    histogram = Histogram(lower: -edge, upper: edge, bins: bins)
  }

  /// Counts after minus before for every weight; `largest` is their largest absolute difference.
  mutating func add(_ before: Matrix, _ after: Matrix, largest: Float) {
    widen(to: Double(largest))
    histogram.add(after, less: before)
  }

  /// Adds the counts of another one.
  mutating func merge(_ other: DifferenceHistogram) {
    var other = other
    widen(to: other.histogram.upper)
    other.widen(to: histogram.upper)
    histogram.merge(other.histogram)
  }

  /// Grows the range until it holds `largest`.
  mutating func widen(to largest: Double) {
    while histogram.upper < largest {
      let half = histogram.counts.count / 2
      var counts = Array(repeating: 0, count: 2 * half)
      for (bin, count) in histogram.counts.enumerated() {
        counts[half + Int((Double(bin - half) / 2).rounded(.down))] += count
      }
      histogram = Histogram(
        lower: 2 * histogram.lower, upper: 2 * histogram.upper, counts: counts)
    }
  }
}

extension Matrix {
  /// This matrix minus another of the same shape.
  func subtracting(_ other: Matrix) -> Matrix {
    Matrix(rows: rows, columns: columns, values: zip(values, other.values).map { $0 - $1 })
  }
}
