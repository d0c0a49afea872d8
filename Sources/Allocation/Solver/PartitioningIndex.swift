extension RandomAccessCollection {
  /// The first index whose element satisfies the predicate, where all elements after it do too.
  ///
  /// - Complexity: O(log count).
  func partitioningIndex(where isPast: (Element) -> Bool) -> Index {
    var (low, count) = (startIndex, self.count)
    while count > 0 {
      let half = count / 2
      let middle = index(low, offsetBy: half)
      if isPast(self[middle]) {
        count = half
      } else {
        low = index(after: middle)
        count -= half + 1
      }
    }
    return low
  }
}
