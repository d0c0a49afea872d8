/// An open-addressing table from pairs of 32-bit numbers to pairs of 32-bit numbers.
struct PairTable: Sendable {
  private var keys: [UInt64]
  private var values: [UInt64]
  private let multiplier = UInt64.random(in: .min ... .max) | 1
  private let shift: UInt64

  private static let empty = UInt64.max

  /// A table that holds up to `capacity` pairs.
  init(capacity: Int) {
    var bits: UInt64 = 4
    while 1 << bits < capacity * 2 { bits += 1 }
    keys = Array(repeating: Self.empty, count: 1 << bits)
    values = Array(repeating: 0, count: 1 << bits)
    shift = 64 - bits
  }

  @inline(__always)
  private func place(of key: UInt64) -> Int {
    Int(truncatingIfNeeded: ((key ^ key >> 29) &* multiplier) >> shift)
  }

  @inline(__always)
  private static func pair(_ left: UInt32, _ right: UInt32) -> UInt64 {
    UInt64(left) << 32 | UInt64(right)
  }

  @inline(__always)
  func find(_ left: UInt32, _ right: UInt32) -> (UInt32, UInt32)? {
    let key = Self.pair(left, right)
    var place = place(of: key)
    while keys[place] != Self.empty {
      if keys[place] == key {
        let value = values[place]
        return (UInt32(value >> 32), UInt32(truncatingIfNeeded: value))
      }
      place = (place + 1) & (keys.count - 1)
    }
    return nil
  }

  /// Adds a pair unless it is there.
  ///
  /// - Precondition: no more than the capacity are added; the pair is not twice `UInt32.max`.
  mutating func add(_ left: UInt32, _ right: UInt32, _ first: UInt32, _ second: UInt32) {
    let key = Self.pair(left, right)
    var place = place(of: key)
    while keys[place] != Self.empty {
      if keys[place] == key { return }
      place = (place + 1) & (keys.count - 1)
    }
    keys[place] = key
    values[place] = Self.pair(first, second)
  }
}
