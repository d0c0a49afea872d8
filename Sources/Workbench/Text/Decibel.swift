import Glibc

/// Ratios of energies, and the same in dB.
enum Decibel {
  /// 10 log10 of a ratio of energies.
  static func decibel(_ ratio: Double) -> Double { 10 * log10(ratio) }

  /// The ratio of energies that so many dB stand for.
  static func ratio(_ decibel: Double) -> Double { pow(10, decibel / 10) }
}
