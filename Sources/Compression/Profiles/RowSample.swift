/// Rows of a layer drawn with replacement, each with a probability proportional to its size.
///
/// Where size follows the error that is to be estimated, a few rows tell a lot (Hansen and Hurwitz
/// 1943).
package struct RowSample: Sendable {
  /// A row and how often it was drawn.
  package struct Draw: Hashable, Sendable {
    package let row: Int
    package let count: Int
    /// The row's share of all sizes: how likely each draw was.
    package let probability: Double
  }

  /// Distinct rows, ascending.
  package let draws: [Draw]
  /// Draws in all.
  package let size: Int

  /// Draws `size` rows of the given sizes; the same ones for the same layer, and the first of a
  /// larger sample.
  package init(sizes: [Double], layer: String, size: Int) {
    var random = SplitMix64(seed: layer)
    var sums: [Double] = []
    sums.reserveCapacity(sizes.count)
    var total = 0.0
    for size in sizes {
      total += size
      sums.append(total)
    }
    var counts: [Int: Int] = [:]
    for _ in 0..<size {
      let target = Double.random(in: 0..<1, using: &random) * total
      let row = Self.firstIndex(in: sums) { $0 > target } ?? 0
      counts[row, default: 0] += 1
    }
    draws = counts.sorted { $0.key < $1.key }.map { row, count in
      Draw(row: row, count: count, probability: total > 0 ? sizes[row] / total : 1)
    }
    self.size = size
  }

  private static func firstIndex(in sums: [Double], where isPast: (Double) -> Bool) -> Int? {
    var (low, high) = (0, sums.count)
    while low < high {
      let middle = (low + high) / 2
      if isPast(sums[middle]) { high = middle } else { low = middle + 1 }
    }
    return low < sums.count ? low : nil
  }
}
