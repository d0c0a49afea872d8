import Compression
import Tensors
import Work

extension ActivationPass {
  /// What a compressed model loses against the reference, run from the block on that this pass has come to.
  ///
  /// For models that differ from the pass's in that block or later only, such as one with one layer replaced or a block
  /// left out: what comes before is shared, so that measuring every layer in turn costs half as much as whole evaluations.
  ///
  /// - Parameters:
  ///   - compressed: The model that is run on.
  ///   - reference: The model that it is compared with.
  ///   - states: Of the reference, complete and on the same windows.
  ///   - pace: Of the rest of the model's way.
  /// - Returns: What was found; nil for no window.
  /// - Throws: ``InferenceError/notFinite(place:)`` when what a model computes are no numbers.
  /// - Precondition: the windows are the same.
  public func evaluation(
    of compressed: Decoder, against reference: Decoder, states: ReferenceStates,
    pace: Pace = .unwatched
  ) throws(InferenceError) -> EvaluationSummary? {
    precondition(states.isComplete && states.windows == windows, "states of the same text")
    var pass = self
    // The head counts as one more block.
    let parts = blockCount - block + 1
    for index in 0..<parts - 1 {
      try pass.sweep(
        observing: .nothing, advancing: true, with: compressed, pace: pace.part(index, of: parts))
    }
    var scores = Scores()
    let (scored, chunk) = (windows.scored, reference.positionsAtHead)
    for (window, pace) in pace.part(parts - 1, of: parts).parts(0..<windows.count) {
      for start in stride(from: scored.lowerBound, to: scored.upperBound, by: chunk) {
        let positions = start..<min(start + chunk, scored.upperBound)
        try scores.add(
          followers: windows.followers(of: positions, inWindow: window),
          reference: reference.logits(of: states[window, positions]),
          compressed: compressed.logits(
            of: compressed.headInputs(pass.hidden[window].rows(positions))))
        try pace.advance(
          to: Double(positions.upperBound - scored.lowerBound) / Double(scored.count))
      }
      scores.closeWindow()
    }
    return scores.summary
  }
}
