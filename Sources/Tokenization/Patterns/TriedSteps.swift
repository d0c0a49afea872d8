/// Which steps of a pattern were taken at which places of a text: one bit for each.
struct TriedSteps {
  private let steps: Int
  private let places: Range<Int>
  private var bits: [UInt64]

  init(_ steps: Int, _ places: Range<Int>) {
    self.steps = steps
    self.places = places
    bits = Array(repeating: 0, count: steps * (places.count + 1) / 64 + 1)
  }

  /// Remembers a step at a place; whether it was known.
  @inline(__always)
  mutating func insert(_ step: Int, _ place: Int) -> Bool {
    let bit = step * (places.count + 1) + place - places.lowerBound
    let mask: UInt64 = 1 << (bit % 64)
    if bits[bit / 64] & mask != 0 { return true }
    bits[bit / 64] |= mask
    return false
  }

  /// Forgets all steps at a place: the way that led to a match ended there, and the next match may begin with the same.
  mutating func forget(at place: Int) {
    for step in 0..<steps {
      let bit = step * (places.count + 1) + place - places.lowerBound
      bits[bit / 64] &= ~(1 << UInt64(bit % 64) as UInt64)
    }
  }
}
