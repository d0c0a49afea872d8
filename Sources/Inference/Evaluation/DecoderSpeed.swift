import Checkpoints
import Tensors
import Work

/// How fast a model runs here, found by running a part of it.
public struct DecoderSpeed: Hashable, Sendable {
  /// Seconds that one position takes in all blocks, in the middle of a window.
  public let blocks: Double
  /// Seconds until the logits after one position are computed and scored.
  public let head: Double
}

extension Decoder {
  /// Positions that are run, at most.
  private static let probed = 512
  /// Seconds that the exponentials and sums over one logit take.
  private static let scoring = 1.5e-9

  /// Runs some positions through the first block, for some tens of milliseconds, and tells from its weights how long others take.
  ///
  /// - Parameters:
  ///   - now: Time since any fixed moment.
  ///   - pace: Of running them.
  /// - Returns: The speed of all blocks and of the head.
  /// - Throws: ``InferenceError/cancelled``.
  public func speed(
    now: () -> Duration, pace: Pace = .unwatched
  ) throws(InferenceError) -> DecoderSpeed {
    guard let first = runningBlocks.first else { return DecoderSpeed(blocks: 0, head: 0) }
    let count = min(
      StepLength.positions(forWeights: weights(ofBlock: first)), Self.probed,
      blueprint.contextLength)
    let tokens = (0..<count).map { $0 * 7919 % blueprint.vocabularySize }
    let (hidden, positions) = (
      embedded(tokens), positions(0..<count, ofLength: count, reading: tokens)
    )
    var fastest = Duration.seconds(1000)
    // The first time weights come from the disk, and threads wake up.
    for run in 1...3 {
      var (states, cache) = (hidden, makeBlockCache(first))
      let started = now()
      self.run(block: first, on: &states, positions, cache: &cache)
      fastest = min(fastest, now() - started)
      try pace.advance(to: Double(run) / 3)
    }
    let perWeight =
      fastest / .seconds(1) / Double(count) / Double(max(self.weights(ofBlock: first), 1))
    return DecoderSpeed(
      blocks: perWeight * Double(blockWeights),
      head: perWeight * Double(headWeights) + Self.scoring * Double(blueprint.vocabularySize))
  }
}
