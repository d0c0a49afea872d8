import Checkpoints
import Tensors

/// A greedy choice of blocks to leave out, in steps: each time the one whose absence costs least KLD.
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
  private var evaluation: Evaluation
  /// Blocks that are tried in this round, and the place of the one that is measured.
  private var candidates: [Int]
  private var place = 0
  private var best: Choice?
  private var completedTrials = 0
  /// The blocks to leave out so far, the cheapest first.
  public private(set) var choices: [Choice] = []

  /// A choice of `count` blocks.
  ///
  /// - Parameters:
  ///   - count: Blocks to leave out; fewer than the model runs.
  ///   - tokens: The text that KLD is measured on.
  ///   - settings: How it is read.
  ///   - decoder: The whole model.
  /// - Throws: ``InferenceError`` when the text is too short to score, or no block would be left.
  public init(
    count: Int, tokens: [Int], settings: Evaluation.Settings, decoder: Decoder
  ) throws(InferenceError) {
    guard count >= 0, count < decoder.runningBlocks.count else {
      throw .invalidShape(
        reason: "\(count) of \(decoder.runningBlocks.count) blocks cannot be left out")
    }
    self.count = count
    self.tokens = tokens
    self.settings = settings
    self.decoder = decoder
    candidates = decoder.runningBlocks
    evaluation = try Evaluation(
      tokens: tokens, settings: settings, reference: decoder, compares: true)
  }

  /// Share of the trials that are done: 0...1.
  public var fractionCompleted: Double {
    let trials = (0..<count).reduce(0) { $0 + decoder.runningBlocks.count - $1 }
    guard choices.count < count else { return 1 }
    return (Double(completedTrials) + evaluation.fractionCompleted) / Double(trials)
  }

  /// Lets one model read one chunk of the text.
  ///
  /// - Returns: Whether there is more to do.
  /// - Throws: ``InferenceError`` when the text cannot be read.
  public mutating func step() throws(InferenceError) -> Bool {
    guard choices.count < count else { return false }
    let block = candidates[place]
    let removed = Set(choices.map(\.block) + [block])
    let goesOn = try evaluation.step(
      reference: decoder, compressed: decoder.leavingOut(blocks: removed))
    if goesOn { return true }
    let divergence = evaluation.result?.divergence?.mean.value ?? .infinity
    if divergence < best?.divergence ?? .infinity {
      best = Choice(block: block, divergence: divergence)
    }
    completedTrials += 1
    place += 1
    if place == candidates.count { choose() }
    evaluation = try Evaluation(
      tokens: tokens, settings: settings, reference: decoder, compares: true,
      states: evaluation.referenceStates)
    return choices.count < count
  }

  private mutating func choose() {
    // Where every KLD overflowed, no block is worse than another.
    let choice = best ?? Choice(block: candidates[0], divergence: .infinity)
    choices.append(choice)
    candidates.removeAll { $0 == choice.block }
    (best, place) = (nil, 0)
  }
}
