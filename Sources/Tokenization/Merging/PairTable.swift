/// An open-addressing table from pairs of 32-bit numbers to pairs of 32-bit numbers.
struct PairTable: Sendable {
  private var keys: [UInt64]
  private var values: [UInt64]
  private let multiplier = UInt64.random(in: .min ... .max) | 1
  private var shift: UInt64
  private var count = 0

  private static let empty = UInt64.max

  /// A table that holds `capacity` pairs before it grows.
  init(capacity: Int = 0) {
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
  /// - Precondition: the pair is not twice `UInt32.max`.
  mutating func add(_ left: UInt32, _ right: UInt32, _ first: UInt32, _ second: UInt32) {
    if count * 2 >= keys.count { grow() }
    add(Self.pair(left, right), Self.pair(first, second))
  }

  private mutating func grow() {
    let (oldKeys, oldValues) = (keys, values)
    keys = Array(repeating: Self.empty, count: oldKeys.count * 2)
    values = Array(repeating: 0, count: keys.count)
    (shift, count) = (shift - 1, 0)
    for (key, value) in zip(oldKeys, oldValues) where key != Self.empty { add(key, value) }
  }

  private mutating func add(_ key: UInt64, _ value: UInt64) {
    var place = place(of: key)
    while keys[place] != Self.empty {
      if keys[place] == key { return }
      place = (place + 1) & (keys.count - 1)
    }
    keys[place] = key
    values[place] = value
    count += 1
  }
}
