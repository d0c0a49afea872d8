import Work

extension Pace {
  /// Says that a share of the work on a layer is done, and returns when it is to go on.
  ///
  /// - Throws: ``CompressionError`` when it is not.
  package func advance(to share: Double, layer: String) throws(CompressionError) {
    do {
      try tick(share)
    } catch {
      throw CompressionError(layer: layer, reason: error.sentence)
    }
  }
}
