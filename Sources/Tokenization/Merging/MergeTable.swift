/// Which neighbouring tokens merge, when, and into what.
struct MergeTable: Sendable {
  struct Merge: Hashable, Sendable {
    /// Lower ranks are applied first.
    let rank: UInt32
    let result: UInt32
  }

  private var merges: [UInt64: Merge] = [:]

  mutating func reserveCapacity(_ count: Int) {
    merges.reserveCapacity(count)
  }

  mutating func add(_ left: UInt32, _ right: UInt32, _ merge: Merge) {
    merges[Self.key(left, right)] = merge
  }

  subscript(left: UInt32, right: UInt32) -> Merge? {
    merges[Self.key(left, right)]
  }

  private static func key(_ left: UInt32, _ right: UInt32) -> UInt64 {
    UInt64(left) << 32 | UInt64(right)
  }
}
