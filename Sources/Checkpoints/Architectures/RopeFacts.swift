import Glibc

/// How positions turn the pairs of queries and keys (Su et al., RoFormer, 2021), in one form for all kinds of stretching.
///
/// Position p turns pair i by p * theta^(-2i / rotated) / divisors[i]; cosines and sines are multiplied by `amplitude`.
public struct RopeFacts: Codable, Hashable, Sendable {
  /// Which values of a head are a pair.
  public enum Pairing: String, Codable, Hashable, Sendable {
    /// i and i + half of those that turn.
    case halves
    /// 2i and 2i + 1.
    case neighbours
  }

  public var pairing: Pairing
  public var theta: Double
  /// Values of a head that turn, from its first on; the others stay.
  public var rotatedSize: Int
  /// One for each pair; empty where none is divided.
  public var divisors: [Double]
  public var amplitude: Double
  /// Other divisors for sequences longer than a length, as LongRoPE has them (Ding and others, 2024).
  public var long: LongRope?
  /// How the divisors came about, in the words of config.json; nil where there are none.
  public var scaling: RopeScaling?

  /// The divisors of sequences that are longer than `length` tokens.
  public struct LongRope: Codable, Hashable, Sendable {
    public var length: Int
    public var divisors: [Double]
  }

  /// A rotation without stretching.
  public init(pairing: Pairing, theta: Double, rotatedSize: Int) {
    self.pairing = pairing
    self.theta = theta
    self.rotatedSize = rotatedSize
    divisors = []
    amplitude = 1
  }

  /// Pairs that turn.
  public var pairCount: Int { rotatedSize / 2 }

  /// By how much position 1 turns pair `pair`, before any division.
  public func frequency(ofPair pair: Int) -> Double {
    1 / pow(theta, Double(2 * pair) / Double(rotatedSize))
  }

  /// This rotation, stretched.
  public func stretched(by scaling: RopeScaling) -> RopeFacts {
    var rope = self
    rope.scaling = scaling
    switch scaling {
    case .linear(let factor): rope.divisors = Array(repeating: factor, count: pairCount)
    case .llama3(let rule):
      rope.divisors = (0..<pairCount).map { rule.divisor(of: frequency(ofPair: $0)) }
    case .yarn(let rule):
      rope.divisors = rule.divisors(pairs: pairCount, rotatedSize: rotatedSize, theta: theta)
      rope.amplitude = rule.amplitude
    case .long(let rule):
      rope.divisors = rule.short
      rope.long = LongRope(length: rule.originalLength, divisors: rule.long)
      rope.amplitude = rule.amplitude
    case .listed(let divisors): rope.divisors = divisors
    case .proportional(let rule): rope.divisors = rule.divisors(pairs: pairCount)
    }
    return rope
  }
}

/// How RoPE's frequencies are stretched beyond the trained context.
public enum RopeScaling: Codable, Hashable, Sendable {
  /// All alike.
  case linear(factor: Double)
  case llama3(Llama3Scaling)
  case yarn(YarnScaling)
  case long(LongScaling)
  /// By numbers that a GGUF file lists, one for each pair.
  case listed([Double])
  case proportional(ProportionalScaling)
}

/// Only the quickest pairs turn, which lie as if all did (Gemma 4).
public struct ProportionalScaling: Codable, Hashable, Sendable {
  /// Of the pairs.
  public var share: Double
  /// What divides the frequencies of those that turn.
  public var factor: Double

  /// By what llama.cpp's converter divides the frequencies of pairs that stay: no angle is left in single precision.
  private static let still = 1e30

  public init(share: Double, factor: Double = 1) {
    (self.share, self.factor) = (share, factor)
  }

  /// The rule behind divisors; nil if they are none of its.
  init?(explaining divisors: [Double]) {
    let turning = divisors.prefix { $0 < Self.still / 2 }
    guard turning.count < divisors.count, let factor = turning.first,
      turning.allSatisfy({ $0 == factor }),
      divisors.dropFirst(turning.count).allSatisfy({ $0 >= Self.still / 2 })
    else { return nil }
    self.init(share: Double(turning.count) / Double(divisors.count), factor: factor)
  }

  func divisors(pairs: Int) -> [Double] {
    let turning = Int(share * Double(2 * pairs) / 2)
    return (0..<pairs).map { $0 < turning ? factor : Self.still }
  }
}

/// Llama 3.1's rule: waves longer than the original context over `lowFrequencyFactor` are divided by `factor`, those shorter
/// than it over `highFrequencyFactor` stay, and the rest lie between.
public struct Llama3Scaling: Codable, Hashable, Sendable {
  public var factor: Double
  public var lowFrequencyFactor: Double
  public var highFrequencyFactor: Double
  /// Context length in tokens that the model was first trained on.
  public var originalLength: Int

  public init(
    factor: Double, lowFrequencyFactor: Double, highFrequencyFactor: Double, originalLength: Int
  ) {
    self.factor = factor
    self.lowFrequencyFactor = lowFrequencyFactor
    self.highFrequencyFactor = highFrequencyFactor
    self.originalLength = originalLength
  }

  /// The rule behind the divisors that llama.cpp's converter stores in its place; nil if they are none of its.
  ///
  /// Of its four numbers, every published model changes the factor, and few the original length.
  public init?(explaining divisors: [Double], of rope: RopeFacts) {
    for length in [8192, 4096, 2048, 16384, 32768] {
      let rule = Llama3Scaling(
        factor: divisors.max() ?? 1, lowFrequencyFactor: 1, highFrequencyFactor: 4,
        originalLength: length)
      let expected = (0..<rope.pairCount).map { rule.divisor(of: rope.frequency(ofPair: $0)) }
      if zip(divisors, expected).allSatisfy({ abs($0 / $1 - 1) < 1e-4 }) {
        self = rule
        return
      }
    }
    return nil
  }

  func divisor(of frequency: Double) -> Double {
    let turns = Double(originalLength) * frequency / (2 * Double.pi)
    if turns < lowFrequencyFactor { return factor }
    if turns > highFrequencyFactor { return 1 }
    let share = (turns - lowFrequencyFactor) / (highFrequencyFactor - lowFrequencyFactor)
    return 1 / ((1 - share) / factor + share)
  }
}

/// YaRN: slow pairs are divided by the factor, quick ones stay, a ramp lies between, and scores grow.
///
/// Source: Peng and others, 2023, https://arxiv.org/abs/2309.00071.
public struct YarnScaling: Codable, Hashable, Sendable {
  public var factor: Double
  public var originalLength: Int
  /// Turns within the original context from which pairs stay.
  public var betaFast: Double
  /// Turns up to which pairs are divided.
  public var betaSlow: Double
  /// Whether the ramp begins and ends at whole pairs.
  public var truncates: Bool
  /// What cosines and sines are multiplied by.
  public var amplitude: Double

  /// Peng et al.'s amplitude: 0.1 * weight * ln(factor) + 1.
  public static func amplitude(factor: Double, weight: Double = 1) -> Double {
    factor <= 1 ? 1 : 0.1 * weight * log(factor) + 1
  }

  func divisors(pairs: Int, rotatedSize: Int, theta: Double) -> [Double] {
    /// The pair that turns `turns` times within the original context.
    func pair(turning turns: Double) -> Double {
      Double(rotatedSize) * log(Double(originalLength) / (turns * 2 * Double.pi)) / (2 * log(theta))
    }
    var (low, high) = (pair(turning: betaFast), pair(turning: betaSlow))
    if truncates { (low, high) = (low.rounded(.down), high.rounded(.up)) }
    (low, high) = (max(low, 0), min(high, Double(rotatedSize - 1)))
    // A ramp of no width would divide by zero.
    if low == high { high += 0.001 }
    return (0..<pairs).map { pair in
      let ramp = min(max((Double(pair) - low) / (high - low), 0), 1)
      return 1 / (ramp / factor + 1 - ramp)
    }
  }
}

/// LongRoPE: a divisor for each pair, one list for sequences within the original context and one for longer ones.
public struct LongScaling: Codable, Hashable, Sendable {
  public var short: [Double]
  public var long: [Double]
  public var originalLength: Int
  public var amplitude: Double
}
