import Work

extension Pace {
  /// Says that a share of the work is done, and returns when it is to go on.
  ///
  /// - Throws: ``InferenceError/cancelled`` when it is not.
  func advance(to share: Double) throws(InferenceError) {
    do { try tick(share) } catch { throw .cancelled }
  }
}
