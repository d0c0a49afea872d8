/// The same numbers for the same seed on every machine: SplitMix64 (Steele, Lea and Flood 2014).
public struct SeededRandom: RandomNumberGenerator, Sendable {
  private var state: UInt64

  public init(seed: UInt64) { state = seed }

  public mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var bits = state
    bits = (bits ^ (bits >> 30)) &* 0xbf58_476d_1ce4_e5b9
    bits = (bits ^ (bits >> 27)) &* 0x94d0_49bb_1331_11eb
    return bits ^ (bits >> 31)
  }

  /// A number in -1..<1.
  public mutating func value() -> Float { Float(Int64(bitPattern: next()) >> 40) / Float(1 << 23) }

  /// Numbers in -1..<1.
  public mutating func values(_ count: Int) -> [Float] { (0..<count).map { _ in value() } }

  public mutating func bytes(_ count: Int) -> [UInt8] {
    (0..<count).map { _ in UInt8(truncatingIfNeeded: next() >> 33) }
  }
}
