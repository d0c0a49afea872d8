/// Texts that share their beginnings, each with a number.
///
/// Its elements are bytes, or scalars.
struct TokenTrie<Element: FixedWidthInteger & UnsignedInteger & Sendable>: Sendable {
  private var children = PairTable()
  /// By node: the number of the text that ends there.
  private var numbers: [Int?] = [nil]

  /// - Parameter texts: Texts and their numbers; of equal texts the first counts.
  init(_ texts: [(text: ArraySlice<Element>, number: Int)]) {
    for (text, number) in texts {
      var node = 0
      for element in text { node = child(of: node, element) ?? addChild(to: node, element) }
      if node > 0, numbers[node] == nil { numbers[node] = number }
    }
  }

  private mutating func addChild(to node: Int, _ element: Element) -> Int {
    children.add(UInt32(node), UInt32(element), 0, UInt32(numbers.count))
    numbers.append(nil)
    return numbers.count - 1
  }

  @inline(__always)
  private func child(of node: Int, _ element: Element) -> Int? {
    children.find(UInt32(node), UInt32(element)).map { Int($0.1) }
  }

  /// Calls `body` with every text that `elements` go on with at `start`, shortest first.
  @inline(__always)
  func forEachMatch(
    in elements: [Element], from start: Int, to end: Int,
    _ body: (_ end: Int, _ number: Int) -> Void
  ) {
    var (node, place) = (0, start)
    while place < end, let next = child(of: node, elements[place]) {
      node = next
      place += 1
      if let number = numbers[node] { body(place, number) }
    }
  }

  /// The longest such text.
  func longestMatch(
    in elements: [Element], from start: Int, to end: Int
  ) -> (end: Int, number: Int)? {
    var best: (end: Int, number: Int)?
    forEachMatch(in: elements, from: start, to: end) { best = ($0, $1) }
    return best
  }
}
