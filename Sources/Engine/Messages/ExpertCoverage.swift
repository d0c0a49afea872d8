import Compression

/// How many tokens of a calibration the router sent to each expert of a block.
public struct ExpertCoverage: Codable, Hashable, Sendable {
  /// What the names of the experts' layers begin with, for example `model.layers.2.mlp.experts`.
  public var name: String
  /// Of each expert.
  public var tokens: [Int]
  /// Input channels of the experts' widest layer.
  public var widestInput: Int

  public init(name: String, tokens: [Int], widestInput: Int) {
    self.name = name
    self.tokens = tokens
    self.widestInput = widestInput
  }

  /// Experts that are compressed as if there were no calibration.
  public var missed: [Int] {
    tokens.indices.filter { InputStatistics.isMissed(tokens: tokens[$0]) }
  }
}
