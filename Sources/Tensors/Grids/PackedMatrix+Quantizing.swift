extension PackedMatrix {
  /// Rounds a matrix to nearest, group by group, on a grid of integers.
  ///
  /// Parameters are those of ``QuantizationGrid``, whose ranges are searched if `searchesRange`.
  public init(
    quantizing matrix: Matrix, bits: Int, groupSize: Int, isSymmetric: Bool, searchesRange: Bool,
    scaleType: ElementType
  ) {
    let grid = QuantizationGrid(
      fitting: matrix, bits: bits, groupSize: groupSize, isSymmetric: isSymmetric,
      fit: searchesRange ? .leastError : .extremes, scaleType: scaleType)
    guard case .packed(let packed) = grid.storage(of: grid.nearest(matrix)) else {
      preconditionFailure("integers are packed")
    }
    self = packed
  }
}
