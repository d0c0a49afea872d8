import Inference
import Work

extension Workspace {
  /// Tokens of the calibration text on which thresholds are found.
  private static let prunedTokens = 256

  /// What makes a model count a share of inputs as zero; found once for the same weights.
  ///
  /// - Parameters:
  ///   - decoder: The model.
  ///   - share: 0 is none.
  ///   - turn: Of the job that runs it.
  /// - Returns: nil where no share is asked for.
  /// - Throws: ``JobFailure`` where there is no text to find thresholds on, and when the job is to end.
  func inputPruning(
    of decoder: Decoder, share: Double?, _ turn: Turn
  ) throws(JobFailure) -> InputPruning? {
    guard let share, share > 0 else { return nil }
    // While layers of a plan are still swapped in, thresholds stay as they are.
    if let known = inputPruning, known.share == share,
      known.isMade(for: decoder) || !plan.isDone
    {
      return known.anew(for: decoder)
    }
    let windows: TokenWindows
    if let calibration {
      windows = calibration.windows
    } else {
      guard let path = defaultText else {
        throw JobFailure(
          sentence: "there is no text to find small inputs on; calibrate first, or put a "
            + "calibration.txt beside the model")
      }
      let limit = min(Self.prunedTokens, contextLength)
      windows = try self.windows(
        of: tokens(ofText: path, limit: limit + 1, turn), from: path, length: limit,
        tokenLimit: limit)
    }
    let read = windows.inputs(0..<min(Self.prunedTokens, windows.length), ofWindow: 0)
    let pace = Pace { _ throws(JobFailure) in try turn.tick() }
    do {
      let found = try decoder.inputPruning(share: share, on: read, pace: pace)
      inputPruning = found
      return found.anew(for: decoder)
    } catch {
      throw JobFailure(error)
    }
  }
}
