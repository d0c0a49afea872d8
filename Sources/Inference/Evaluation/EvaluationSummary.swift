import Glibc
import Tensors

/// What an evaluation found.
public struct EvaluationSummary: Hashable, Sendable {
  /// KLD of the compressed model's next-token distribution from the reference's, in nats a token.
  public struct Divergence: Hashable, Sendable {
    public let mean: Double
    public let median: Double
    public let p99: Double
    public let max: Double
  }

  /// Scored tokens.
  public let tokens: Int
  public let referencePPL: Double
  /// nil unless a compressed model was measured, like all that follows.
  public let compressedPPL: Double?
  public let divergence: Divergence?
  /// Share of scored tokens for which both models' most probable token is the same.
  public let top1Agreement: Double?
}

/// Sums over scored tokens.
struct Scores: Sendable {
  private var count = 0
  /// Negative log-likelihoods of the tokens that followed, in nats.
  private var referenceLoss = 0.0
  private var compressedLoss = 0.0
  private var divergences: [Double] = []
  private var agreements = 0

  /// Adds the logits that were computed before the token `next`.
  mutating func add(next: Int, reference: Logits, compressed: Logits?) {
    count += 1
    referenceLoss -= reference.logProbability(of: next)
    guard let compressed else { return }
    compressedLoss -= compressed.logProbability(of: next)
    divergences.append(reference.divergence(to: compressed))
    agreements += reference.best == compressed.best ? 1 : 0
  }

  var summary: EvaluationSummary? {
    guard count > 0 else { return nil }
    let total = Double(count)
    guard !divergences.isEmpty else {
      return EvaluationSummary(
        tokens: count, referencePPL: exp(referenceLoss / total), compressedPPL: nil,
        divergence: nil, top1Agreement: nil)
    }
    let sorted = divergences.sorted()
    let divergence = EvaluationSummary.Divergence(
      mean: divergences.reduce(0, +) / total, median: Self.quantile(0.5, of: sorted),
      p99: Self.quantile(0.99, of: sorted), max: Self.quantile(1, of: sorted))
    return EvaluationSummary(
      tokens: count, referencePPL: exp(referenceLoss / total),
      compressedPPL: exp(compressedLoss / total), divergence: divergence,
      top1Agreement: Double(agreements) / total)
  }

  /// The quantile by linear interpolation between the two values next to it.
  static func quantile(_ share: Double, of sorted: [Double]) -> Double {
    let place = share * Double(sorted.count - 1)
    let lower = Int(place)
    let upper = min(lower + 1, sorted.count - 1)
    return sorted[lower] + (sorted[upper] - sorted[lower]) * (place - Double(lower))
  }
}
