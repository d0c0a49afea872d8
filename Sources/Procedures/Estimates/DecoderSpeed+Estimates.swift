import Inference

/// How long work takes that only runs a model.
extension DecoderSpeed {
  /// What a gradient takes, in forward passes of its tokens: one forward, one again, and about twice one back.
  private static let passesAGradient = 4.3

  /// Seconds to collect second moments.
  public func calibration(tokens: Int) -> Double { Double(tokens) * blocks }

  /// Seconds of an evaluation.
  ///
  /// - Parameters:
  ///   - windows: How many are read.
  ///   - length: Positions that are read of each.
  ///   - scored: Positions that are scored of each.
  ///   - compressed: The speed of the model that is compared; nil for none.
  ///   - readsReference: Whether the reference's states are not known yet.
  /// - Returns: The seconds.
  public func evaluation(
    windows: Int, length: Int, scored: Int, compressed: DecoderSpeed?, readsReference: Bool
  ) -> Double {
    let read = (readsReference ? blocks : 0) + (compressed?.blocks ?? 0)
    let scoring = head + (compressed?.head ?? 0)
    return Double(windows) * (Double(length) * read + Double(scored) * scoring)
  }

  /// Seconds to weigh layers by gradients.
  public func gradients(tokens: Int) -> Double {
    Double(tokens) * (Self.passesAGradient * blocks + 3 * head)
  }
}
