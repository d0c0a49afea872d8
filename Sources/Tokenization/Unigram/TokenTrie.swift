/// Texts that share their beginnings, each with a number.
struct TokenTrie: Sendable {
  private var children: PairTable
  /// By node: the number of the text that ends there.
  private var numbers: [Int?] = [nil]

  /// - Parameter texts: Texts and their numbers; of equal texts the first counts.
  init(_ texts: [(text: ArraySlice<UInt8>, number: Int)]) {
    children = PairTable(capacity: texts.reduce(0) { $0 + $1.text.count })
    for (text, number) in texts {
      var node = 0
      for byte in text { node = child(of: node, byte) ?? addChild(to: node, byte) }
      if node > 0, numbers[node] == nil { numbers[node] = number }
    }
  }

  private mutating func addChild(to node: Int, _ byte: UInt8) -> Int {
    children.add(UInt32(node), UInt32(byte), 0, UInt32(numbers.count))
    numbers.append(nil)
    return numbers.count - 1
  }

  @inline(__always)
  private func child(of node: Int, _ byte: UInt8) -> Int? {
    children.find(UInt32(node), UInt32(byte)).map { Int($0.1) }
  }

  /// Calls `body` with every text that `bytes` go on with at `start`, shortest first.
  @inline(__always)
  func forEachMatch(
    in bytes: [UInt8], from start: Int, to end: Int, _ body: (_ end: Int, _ number: Int) -> Void
  ) {
    var (node, place) = (0, start)
    while place < end, let next = child(of: node, bytes[place]) {
      node = next
      place += 1
      if let number = numbers[node] { body(place, number) }
    }
  }

  /// The longest such text.
  func longestMatch(
    in bytes: [UInt8], from start: Int, to end: Int
  ) -> (end: Int, number: Int)? {
    var best: (end: Int, number: Int)?
    forEachMatch(in: bytes, from: start, to: end) { best = ($0, $1) }
    return best
  }
}
