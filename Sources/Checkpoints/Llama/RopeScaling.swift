import Glibc

extension RopeScaling {
  /// By how much each of the `headSize / 2` RoPE frequencies is divided.
  ///
  /// Llama 3.1's rule: waves longer than the original context over `lowFrequencyFactor` are divided
  /// by `factor`, those shorter than it over `highFrequencyFactor` stay, and the rest lie between.
  public func divisors(headSize: Int, theta: Double) -> [Double] {
    (0..<headSize / 2).map { pair in
      let wavelength = 2 * Double.pi * pow(theta, Double(2 * pair) / Double(headSize))
      let turns = Double(originalContextLength) / wavelength
      if turns < lowFrequencyFactor { return factor }
      if turns > highFrequencyFactor { return 1 }
      let share = (turns - lowFrequencyFactor) / (highFrequencyFactor - lowFrequencyFactor)
      return 1 / ((1 - share) / factor + share)
    }
  }
}
