/// What an evaluation found: llama-perplexity's figures, each with a standard error over windows.
public struct EvaluationSummary: Codable, Hashable, Sendable {
  /// KLD of the compressed model's next-token distribution from the reference's, in nats a token.
  public struct Divergence: Codable, Hashable, Sendable {
    public var mean: Estimate
    public var median: Estimate
    /// The 99th percentile.
    public var p99: Estimate
    public var max: Estimate

    public init(mean: Estimate, median: Estimate, p99: Estimate, max: Estimate) {
      self.mean = mean
      self.median = median
      self.p99 = p99
      self.max = max
    }
  }

  /// Scored tokens.
  public var tokens: Int
  /// Windows that they lie in.
  public var windows: Int
  public var referencePPL: Estimate
  /// nil unless a compressed model was measured, like all estimates that follow.
  public var compressedPPL: Estimate?
  public var divergence: Divergence?
  /// Root of the mean squared change of the probability of the token that followed, 0...1.
  public var rmsProbabilityChange: Estimate?
  /// Share of scored tokens for which both models' most probable token is the same.
  public var top1Agreement: Estimate?
  /// Mean KLD of each window; empty unless a compressed model was measured.
  public var windowDivergences: [Double]
  /// Mean loss of each window, in nats a token: the compressed model's if one was measured.
  public var windowLosses: [Double]
  /// The share of inputs of o_proj and down_proj that counted as zero; nil where none was asked to.
  public var inputSparsity: Double?

  public init(
    tokens: Int, windows: Int, referencePPL: Estimate, compressedPPL: Estimate? = nil,
    divergence: Divergence? = nil, rmsProbabilityChange: Estimate? = nil,
    top1Agreement: Estimate? = nil, windowDivergences: [Double] = [], windowLosses: [Double] = []
  ) {
    self.tokens = tokens
    self.windows = windows
    self.referencePPL = referencePPL
    self.compressedPPL = compressedPPL
    self.divergence = divergence
    self.rmsProbabilityChange = rmsProbabilityChange
    self.top1Agreement = top1Agreement
    self.windowDivergences = windowDivergences
    self.windowLosses = windowLosses
  }

  /// How much larger this mean KLD is than that of another plan on the same windows.
  ///
  /// Windows that are hard for one plan are hard for all, so that the standard error is much smaller than those of the
  /// two means.
  /// - Returns: nil unless both measured a compressed model on the same number of windows and tokens.
  public func pairedDifference(from other: EvaluationSummary) -> Estimate? {
    guard tokens == other.tokens, windowDivergences.count == other.windowDivergences.count else {
      return nil
    }
    return Estimate(meanOf: zip(windowDivergences, other.windowDivergences).map { $0 - $1 })
  }
}
