/// Ascending indices as short text: `3 17 20-22`.
enum IndexRanges {
  static func text(_ indices: [Int]) -> String {
    var ranges: [ClosedRange<Int>] = []
    for index in indices {
      if let last = ranges.last, last.upperBound + 1 == index {
        ranges[ranges.count - 1] = last.lowerBound...index
      } else {
        ranges.append(index...index)
      }
    }
    return ranges.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }
      .joined(separator: " ")
  }

  /// The indices of a text; nil unless they are whole numbers below `limit` that ascend.
  static func indices(_ text: String, below limit: Int) -> [Int]? {
    var indices: [Int] = []
    for part in text.split(separator: " ") {
      let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
      guard (1...2).contains(ends.count), let first = ends.first ?? nil,
        let last = ends.last ?? nil, first >= 0, first <= last, last < limit,
        indices.last.map({ $0 < first }) ?? true
      else { return nil }
      indices += first...last
    }
    return indices
  }
}
