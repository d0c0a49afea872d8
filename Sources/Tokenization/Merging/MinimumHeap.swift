/// A binary heap whose smallest number is at hand.
struct MinimumHeap {
  private var items: [UInt64] = []

  mutating func removeAll() { items.removeAll(keepingCapacity: true) }

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
