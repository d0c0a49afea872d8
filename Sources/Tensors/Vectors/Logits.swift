import CKernels

/// A model's scores for the next token, one for each token of the vocabulary, with their log-sum-exp.
public struct Logits: Sendable {
  public let values: [Float]
  /// log(sum(exp(values))), added up in double precision.
  public let logSumExp: Double

  /// - Precondition: `values` is not empty.
  public init(_ values: [Float]) {
    precondition(!values.isEmpty, "a vocabulary has tokens")
    self.values = values
    logSumExp = vk_log_sum_exp(Kernels.level, values, values.count)
  }

  /// The most probable token, the first of equals.
  public var best: Int { Int(vk_largest(Kernels.level, values, values.count)) }

  /// Natural logarithm of a token's probability.
  public func logProbability(of token: Int) -> Double { Double(values[token]) - logSumExp }

  /// KLD of `other` from these, in nats: how much is lost by taking `other` for them.
  ///
  /// - Precondition: both are over the same vocabulary.
  public func divergence(to other: Logits) -> Double {
    precondition(values.count == other.values.count, "the same vocabulary")
    return vk_divergence(
      Kernels.level, values, logSumExp, other.values, other.logSumExp, values.count)
  }
}
