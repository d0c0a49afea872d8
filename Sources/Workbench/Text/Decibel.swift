import Glibc

/// Ratios of energies, and the same in dB.
enum Decibel {
  /// 10 log10 of a ratio of energies.
  static func decibel(_ ratio: Double) -> Double { 10 * log10(ratio) }

  /// The ratio of energies that so many dB stand for.
  static func ratio(_ decibel: Double) -> Double { pow(10, decibel / 10) }

  /// The standard error of an energy, as a share of it, whose band of 95 % is half as wide in dB.
  static func standardError(ofBand band: Double) -> Double { band / 10 / M_LOG10E / 1.96 }
}
