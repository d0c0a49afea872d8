/// An open-addressing table from the hashes of byte strings to numbers; whoever uses it compares the strings.
///
/// The seed is drawn anew for every table, so that no file can be made whose strings all meet in one place.
package struct ByteIndex: Sendable {
  /// The upper half is the upper half of the hash, the lower the number plus one; zero is an empty slot.
  private var slots: [UInt64]
  private let seed = UInt64.random(in: .min ... .max)
  /// Numbers that are there.
  private(set) var count = 0

  /// A table that holds `capacity` numbers before it grows.
  package init(capacity: Int = 0) {
    var slotCount = 16
    while slotCount < capacity * 2 { slotCount *= 2 }
    slots = Array(repeating: 0, count: slotCount)
  }

  /// The hash of the bytes in `range`, followed by those in `rest`.
  @inline(__always)
  package func hash(
    _ bytes: [UInt8], _ range: Range<Int>, and rest: Range<Int> = 0..<0
  ) -> UInt64 {
    var hash = seed
    for place in range { hash = (hash ^ UInt64(bytes[place])) &* 0x9e37_79b9_7f4a_7c15 }
    for place in rest { hash = (hash ^ UInt64(bytes[place])) &* 0x9e37_79b9_7f4a_7c15 }
    return (hash ^ hash >> 32) &* 0x9e37_79b9_7f4a_7c15
  }

  /// The number that was inserted with this hash and passes `isEqual`.
  @inline(__always)
  package func find(hash: UInt64, _ isEqual: (Int) -> Bool) -> Int? {
    let mask = slots.count - 1
    var place = Int(hash >> 32) & mask
    while slots[place] != 0 {
      if (slots[place] ^ hash) >> 32 == 0 {
        let number = Self.number(in: slots[place])
        if isEqual(number) { return number }
      }
      place = (place + 1) & mask
    }
    return nil
  }

  /// Adds a number, or puts it in the place of `known`, whose string is the same.
  package mutating func insert(_ number: Int, hash: UInt64, replacing known: Int? = nil) {
    if count * 2 >= slots.count { grow() }
    let mask = slots.count - 1
    var place = Int(hash >> 32) & mask
    while slots[place] != 0 {
      if let known, Self.number(in: slots[place]) == known { break }
      place = (place + 1) & mask
    }
    if slots[place] == 0 { count += 1 }
    slots[place] = (hash & ~0xffff_ffff) | UInt64(number + 1)
  }

  private static func number(in slot: UInt64) -> Int { Int(UInt32(truncatingIfNeeded: slot)) - 1 }

  private mutating func grow() {
    let old = slots
    slots = Array(repeating: 0, count: old.count * 2)
    let mask = slots.count - 1
    for slot in old where slot != 0 {
      var place = Int(slot >> 32) & mask
      while slots[place] != 0 { place = (place + 1) & mask }
      slots[place] = slot
    }
  }
}
