/// Applies merges to one word: always the lowest rank, and of equal ones the leftmost.
///
/// Short words are searched through for each merge. For long ones a linked list of tokens and a heap of possible merges
/// make it O(n log n) in the word's length, as a run of a million spaces is one word.
struct WordMerger: Sendable {
  /// A token of a word, and the bytes of the text that it is.
  struct Part: Sendable {
    var token: UInt32
    let start: Int
    var end: Int

    /// What no token spells.
    static let unknown = UInt32.max
  }

  /// A merge that no pair has.
  private static let none: (rank: UInt32, result: UInt32) = (.max, 0)
  private static let shortWord = 32

  private var merges: [(rank: UInt32, result: UInt32)] = []
  /// Places of the neighbours; -1 beyond the ends.
  private var next: [Int] = []
  private var previous: [Int] = []
  private var heap = MinimumHeap()

  /// Replaces the tokens of a word by what is left when no merge applies any more.
  ///
  /// - Returns: the rank of the last merge; nil if none applied.
  @discardableResult
  mutating func merge(_ parts: inout [Part], _ ranking: some MergeRanking) -> UInt32? {
    guard parts.count > 1 else { return nil }
    return parts.count <= Self.shortWord
      ? mergeShort(&parts, ranking) : mergeLong(&parts, ranking)
  }

  @inline(__always)
  private mutating func mergeShort(
    _ parts: inout [Part], _ ranking: some MergeRanking
  ) -> UInt32? {
    var last: UInt32?
    merges.removeAll(keepingCapacity: true)
    for place in 1..<parts.count {
      merges.append(ranking.merge(parts[place - 1], parts[place]) ?? Self.none)
    }
    while true {
      var best = 0
      for place in merges.indices where merges[place].rank < merges[best].rank { best = place }
      guard best < merges.count, merges[best].rank != Self.none.rank else { return last }
      last = merges[best].rank
      parts[best].token = merges[best].result
      parts[best].end = parts[best + 1].end
      parts.remove(at: best + 1)
      merges.remove(at: best)
      if best < merges.count {
        merges[best] = ranking.merge(parts[best], parts[best + 1]) ?? Self.none
      }
      if best > 0 {
        merges[best - 1] = ranking.merge(parts[best - 1], parts[best]) ?? Self.none
      }
    }
  }

  private mutating func mergeLong(
    _ parts: inout [Part], _ ranking: some MergeRanking
  ) -> UInt32? {
    var last: UInt32?
    next = parts.indices.map { $0 + 1 < parts.count ? $0 + 1 : -1 }
    previous = parts.indices.map { $0 - 1 }
    merges = Array(repeating: Self.none, count: parts.count)
    heap.removeAll()
    for place in parts.indices { findMerge(at: place, parts, ranking) }
    while let lowest = heap.removeMinimum() {
      let place = Int(lowest & 0xffff_ffff)
      // A merge nearby may have replaced what this entry was about.
      guard UInt64(merges[place].rank) == lowest >> 32 else { continue }
      let right = next[place]
      last = merges[place].rank
      parts[place].token = merges[place].result
      parts[place].end = parts[right].end
      next[place] = next[right]
      if next[place] >= 0 { previous[next[place]] = place }
      merges[right] = Self.none
      findMerge(at: place, parts, ranking)
      if previous[place] >= 0 { findMerge(at: previous[place], parts, ranking) }
    }
    var (place, count) = (0, 0)
    while place >= 0 {
      parts[count] = parts[place]
      count += 1
      place = next[place]
    }
    parts.removeLast(parts.count - count)
    return last
  }

  @inline(__always)
  private mutating func findMerge(
    at place: Int, _ parts: [Part], _ ranking: some MergeRanking
  ) {
    let right = next[place]
    merges[place] = right < 0 ? Self.none : ranking.merge(parts[place], parts[right]) ?? Self.none
    if merges[place].rank != Self.none.rank {
      heap.insert(UInt64(merges[place].rank) << 32 | UInt64(place))
    }
  }
}
