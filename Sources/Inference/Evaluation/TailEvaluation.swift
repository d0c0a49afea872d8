import Compression
import Tensors

/// What a compressed model loses against the reference, run from the block on that a pass has come to.
///
/// For models that differ from the pass's in that block or later only, such as one with one layer replaced or a block
/// left out: what comes before is shared, so that measuring every layer in turn costs half as much as whole evaluations.
public struct TailEvaluation: Sendable {
  private var pass: ActivationPass
  private let states: ReferenceStates
  private let blocks: Range<Int>
  private var window = 0
  private var position: Int
  private var scores = Scores()

  /// - Parameters:
  ///   - pass: The hidden states of all windows before some block.
  ///   - states: Of the reference, complete and on the same windows.
  /// - Precondition: the windows are the same.
  public init(from pass: ActivationPass, states: ReferenceStates) {
    precondition(states.isComplete && states.windows == pass.windows, "states of the same text")
    self.pass = pass
    self.states = states
    blocks = pass.block..<pass.blockCount
    position = states.windows.scored.lowerBound
    self.pass.begin(observing: .nothing, advancing: true)
  }

  /// Share of the blocks and windows that are done: 0...1.
  public var fractionCompleted: Double {
    let done = Double(pass.block - blocks.lowerBound)
    let share =
      pass.isAtHead ? Double(window) / Double(states.windows.count) : pass.fractionCompleted
    return (done + share) / Double(blocks.count + 1)
  }

  /// What was found in the windows scored so far; nil before the first.
  public var result: EvaluationSummary? { scores.summary }

  /// Runs a part of a window through a block, or scores some of its tokens.
  ///
  /// - Returns: Whether there is more to do.
  /// - Throws: ``InferenceError/notFinite(place:)`` when what a model computes are no numbers.
  public mutating func step(
    reference: Decoder, compressed: Decoder
  ) throws(InferenceError) -> Bool {
    guard pass.isAtHead else {
      if !pass.step(with: compressed), !pass.isAtHead {
        pass.begin(observing: .nothing, advancing: true)
      }
      return true
    }
    guard window < states.windows.count else { return false }
    let scored = states.windows.scored
    let positions = position..<min(position + reference.positionsAtHead, scored.upperBound)
    try scores.add(
      followers: states.windows.followers(of: positions, inWindow: window),
      reference: reference.logits(of: states[window, positions]),
      compressed: compressed.logits(of: compressed.headInputs(pass.hidden[window].rows(positions))))
    position = positions.upperBound
    if position == scored.upperBound {
      scores.closeWindow()
      window += 1
      position = scored.lowerBound
    }
    return window < states.windows.count
  }
}
