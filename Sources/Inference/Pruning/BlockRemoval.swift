import Checkpoints
import Tensors
import Work

/// A greedy choice of blocks to leave out: each time the one whose absence costs least KLD.
///
/// What a block is worth depends on which others are gone, so that all that are left are measured again after each
/// removal.
public struct BlockRemoval: Sendable {
  /// One block that was left out.
  public struct Choice: Hashable, Sendable {
    /// Index in the whole model.
    public let block: Int
    /// KLD of the model without it and all blocks chosen before, in nats a token.
    public let divergence: Double
  }

  private let tokens: [Int]
  private let settings: Evaluation.Settings
  private let decoder: Decoder
  private let count: Int
  /// Blocks that have to stay.
  private let fixed: Set<Int>

  /// A choice of `count` blocks.
  ///
  /// - Parameters:
  ///   - count: Blocks to leave out; fewer than the model runs.
  ///   - tokens: The text that KLD is measured on.
  ///   - settings: How it is read.
  ///   - decoder: The whole model.
  /// - Throws: ``InferenceError`` when no block would be left.
  public init(
    count: Int, tokens: [Int], settings: Evaluation.Settings, decoder: Decoder
  ) throws(InferenceError) {
    fixed = decoder.description.fixedBlocks.intersection(decoder.runningBlocks)
    guard count >= 0, count < decoder.runningBlocks.count,
      count <= decoder.runningBlocks.count - fixed.count
    else {
      throw .invalidShape(
        reason: "\(count) of \(decoder.runningBlocks.count) blocks cannot be left out")
    }
    self.count = count
    self.tokens = tokens
    self.settings = settings
    self.decoder = decoder
  }

  /// Makes the choice.
  ///
  /// - Parameter pace: Of all trials.
  /// - Returns: The blocks to leave out, the cheapest first.
  /// - Throws: ``InferenceError`` when the text is too short to score, or cannot be read.
  public func choices(pace: Pace = .unwatched) throws(InferenceError) -> [Choice] {
    var choices: [Choice] = []
    var candidates = decoder.runningBlocks.filter { !fixed.contains($0) }
    var states: ReferenceStates?
    let trials = (0..<count).reduce(0) { $0 + candidates.count - $1 }
    var trial = 0
    for _ in 0..<count {
      // Where every KLD overflowed, no block is worse than another.
      var best = Choice(block: candidates[0], divergence: .infinity)
      for block in candidates {
        var evaluation = try Evaluation(
          tokens: tokens, settings: settings, reference: decoder, compares: true, states: states)
        let removed = Set(choices.map(\.block) + [block])
        try evaluation.run(
          reference: decoder, compressed: decoder.leavingOut(blocks: removed),
          pace: pace.part(trial, of: trials))
        trial += 1
        states = evaluation.referenceStates
        let divergence = evaluation.result?.divergence?.mean.value ?? .infinity
        if divergence < best.divergence { best = Choice(block: block, divergence: divergence) }
      }
      choices.append(best)
      candidates.removeAll { $0 == best.block }
    }
    return choices
  }
}
