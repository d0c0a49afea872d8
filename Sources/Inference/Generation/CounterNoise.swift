import Glibc

/// Random numbers that depend on nothing but a seed, a position and a token id.
///
/// Two models that sample with the same noise choose the same token wherever their distributions agree.
struct CounterNoise: Sendable {
  private let key: UInt64

  init(seed: UInt64, position: Int) {
    key = Self.mix(Self.mix(seed) ^ UInt64(bitPattern: Int64(position)))
  }

  /// 64 random bits for a token.
  func bits(for token: Int) -> UInt64 { Self.mix(key ^ UInt64(bitPattern: Int64(token))) }

  /// A standard Gumbel variate from 64 random bits.
  static func gumbel(_ bits: UInt64) -> Double {
    let uniform = (Double(bits >> 11) + 0.5) * 0x1p-53
    return -log(-log(uniform))
  }

  /// No smaller than `gumbel(bits)`, and quick: with u = 1 - d, -log(u) >= d > 2^-(leading ones + 1).
  static func gumbelBound(_ bits: UInt64) -> Double {
    Double((~bits).leadingZeroBitCount + 1) * 0.693_147_180_6
  }

  /// The finaliser of SplitMix64 (Steele, Lea and Flood, 2014), after its increment.
  private static func mix(_ value: UInt64) -> UInt64 {
    var z = value &+ 0x9E37_79B9_7F4A_7C15
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
