/// Applies merges to one word: always the lowest rank, and of equal ones the leftmost.
///
/// A linked list of tokens and a heap of possible merges make it O(n log n) in the word's length,
/// as a run of a million spaces is one word.
struct WordMerger {
  private let table: MergeTable
  private var tokens: [UInt32]
  /// Places of the neighbours; -1 beyond the ends.
  private var next: [Int]
  private var previous: [Int]
  /// The merge of the token at a place with its right neighbour.
  private var merges: [MergeTable.Merge?]
  private var heap = MinimumHeap()

  /// The tokens that are left of `tokens` when no merge applies any more.
  static func merge(_ tokens: [UInt32], _ table: MergeTable) -> [UInt32] {
    guard tokens.count > 1 else { return tokens }
    var merger = WordMerger(tokens, table)
    return merger.run()
  }

  private init(_ tokens: [UInt32], _ table: MergeTable) {
    self.table = table
    self.tokens = tokens
    next = tokens.indices.map { $0 + 1 < tokens.count ? $0 + 1 : -1 }
    previous = tokens.indices.map { $0 - 1 }
    merges = Array(repeating: nil, count: tokens.count)
    for place in tokens.indices { findMerge(at: place) }
  }

  private mutating func run() -> [UInt32] {
    while let lowest = heap.removeMinimum() {
      let place = Int(lowest & 0xffff_ffff)
      // A merge nearby may have replaced what this entry was about.
      guard let merge = merges[place], UInt64(merge.rank) == lowest >> 32 else { continue }
      let right = next[place]
      tokens[place] = merge.result
      next[place] = next[right]
      if next[place] >= 0 { previous[next[place]] = place }
      merges[right] = nil
      findMerge(at: place)
      if previous[place] >= 0 { findMerge(at: previous[place]) }
    }
    var result: [UInt32] = []
    var place = 0
    while place >= 0 {
      result.append(tokens[place])
      place = next[place]
    }
    return result
  }

  private mutating func findMerge(at place: Int) {
    let right = next[place]
    merges[place] = right < 0 ? nil : table[tokens[place], tokens[right]]
    if let merge = merges[place] { heap.insert(UInt64(merge.rank) << 32 | UInt64(place)) }
  }
}

/// A binary heap whose smallest number is at hand.
struct MinimumHeap {
  private var items: [UInt64] = []

  mutating func insert(_ item: UInt64) {
    var place = items.count
    items.append(item)
    while place > 0, items[(place - 1) / 2] > item {
      items[place] = items[(place - 1) / 2]
      place = (place - 1) / 2
    }
    items[place] = item
  }

  mutating func removeMinimum() -> UInt64? {
    guard let minimum = items.first, let item = items.popLast() else { return nil }
    if items.isEmpty { return minimum }
    var place = 0
    while true {
      var child = 2 * place + 1
      guard child < items.count else { break }
      if child + 1 < items.count, items[child + 1] < items[child] { child += 1 }
      guard items[child] < item else { break }
      items[place] = items[child]
      place = child
    }
    items[place] = item
    return minimum
  }
}
