import Tensors

extension Scheme {
  /// Checks that what a scheme made of rows are numbers.
  ///
  /// - Parameters:
  ///   - before: Rows of a layer.
  ///   - after: What is stored of them, decoded.
  ///   - layer: The layer's name.
  ///   - row: The layer's number of a row.
  /// - Throws: ``CompressionError`` naming the first row at fault and its largest weight.
  func checkFits(
    _ before: Matrix, _ after: Matrix, of layer: String, row: (Int) -> Int
  ) throws(CompressionError) {
    guard let index = after.firstNonFiniteRow else { return }
    let largest = before.row(index).map(abs).max() ?? 0
    throw CompressionError(
      layer: layer, row: row(index),
      reason:
        "holds a weight of magnitude \(largest), which overflows as \(summary); keep this layer, or choose "
        + "a scheme with wider scales")
  }
}
