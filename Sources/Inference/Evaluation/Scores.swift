import Glibc
import Tensors

/// Sums over the scored tokens of each window.
///
/// Windows have equally many scored tokens, so that the mean over tokens is the mean over windows.
struct Scores: Sendable {
  private var open = WindowScores()
  private var windows: [WindowScores] = []

  init() {}

  /// Of windows that are closed.
  init(_ windows: [WindowScores]) { self.windows = windows }

  /// Adds logits, a row for each of the tokens that followed.
  ///
  /// - Throws: ``InferenceError/notFinite(place:)`` if some are no numbers, of which nothing follows.
  mutating func add(
    followers: [Int], reference: Matrix, compressed: Matrix?
  ) throws(InferenceError) {
    for (matrix, which) in [(reference, "the reference"), (compressed, "the compressed model")] {
      guard let row = matrix?.firstNonFiniteRow else { continue }
      throw .notFinite(
        place:
          "in window \(windows.count + 1), at scored token \(open.count + row + 1), of \(which)")
    }
    for (row, next) in followers.enumerated() {
      add(
        next: next, reference: Logits(Array(reference.row(row))),
        compressed: compressed.map { Logits(Array($0.row(row))) })
    }
  }

  private mutating func add(next: Int, reference: Logits, compressed: Logits?) {
    let expected = reference.logProbability(of: next)
    open.count += 1
    open.referenceLoss -= expected
    guard let compressed else { return }
    let found = compressed.logProbability(of: next)
    let change = exp(found) - exp(expected)
    open.compressedLoss -= found
    open.squaredChanges += change * change
    open.agreements += reference.best == compressed.best ? 1 : 0
    open.divergences.append(reference.divergence(to: compressed))
  }

  /// Counts the tokens added since the last window as one.
  mutating func closeWindow() {
    windows.append(open)
    open = WindowScores()
  }

  /// What the closed windows tell; nil while there is none.
  var summary: EvaluationSummary? {
    guard let referenceLoss = mean(\.referenceLoss) else { return nil }
    let tokens = windows.reduce(0) { $0 + $1.count }
    let referencePPL = Self.perplexity(referenceLoss)
    guard let divergences = Divergences(windows.map(\.divergences)),
      let compressedLoss = mean(\.compressedLoss), let change = mean(\.squaredChanges),
      let agreement = mean(\.agreements)
    else {
      return EvaluationSummary(
        tokens: tokens, windows: windows.count, referencePPL: referencePPL,
        windowLosses: perToken(\.referenceLoss))
    }
    let rms = change.value.squareRoot()
    return EvaluationSummary(
      tokens: tokens, windows: windows.count, referencePPL: referencePPL,
      compressedPPL: Self.perplexity(compressedLoss), divergence: divergences.summary,
      rmsProbabilityChange: change.mapped(to: rms, slope: rms > 0 ? 0.5 / rms : 0),
      top1Agreement: agreement, windowDivergences: divergences.windowMeans,
      windowLosses: perToken(\.compressedLoss))
  }

  private func perToken(_ sum: KeyPath<WindowScores, Double>) -> [Double] {
    windows.map { $0[keyPath: sum] / Double($0.count) }
  }

  private func mean(_ sum: KeyPath<WindowScores, Double>) -> Estimate? {
    Estimate(meanOf: perToken(sum))
  }

  private static func perplexity(_ loss: Estimate) -> Estimate {
    loss.mapped(to: exp(loss.value), slope: exp(loss.value))
  }
}

/// Sums over the scored tokens of one window.
struct WindowScores: Sendable {
  var count = 0
  /// Negative log-likelihoods of the tokens that followed, in nats.
  var referenceLoss = 0.0
  var compressedLoss = 0.0
  /// Of the probability of the token that followed.
  var squaredChanges = 0.0
  /// Tokens for which both models' most probable token is the same.
  var agreements = 0.0
  /// KLD of each token.
  var divergences: [Double] = []
}
