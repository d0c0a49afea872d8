import Tensors

extension Scheme {
  /// What SparseGPT zeroes in the next block of columns, when it goes by a ratio: the block's share of the zeros, taken
  /// where in all rows the loss costs least.
  ///
  /// - Parameters:
  ///   - sweeps: rows of one layer, all at the same block.
  ///   - start: rows of the layer above them, which get zeros of their own: all together have as many as the layer is
  ///     to have.
  /// - Returns: a mask for each sweep; nil if the scheme prunes in another way.
  func blockMasks(of sweeps: [ColumnSweep], above start: Int) -> [[UInt8]]? {
    guard let sparsity, sparsity.method == .sparsegpt, case .unstructured = sparsity.pattern,
      let block = sweeps.first?.block
    else { return nil }
    let rows = sweeps.reduce(0) { $0 + $1.rows }
    func zeros(before column: Int) -> Int {
      sparsity.pattern.zeros(rows: start + rows, columns: column)
        - sparsity.pattern.zeros(rows: start, columns: column)
    }
    let mask = Selection.smallest(
      zeros(before: block.upperBound) - zeros(before: block.lowerBound),
      of: sweeps.flatMap { $0.scores() })
    var end = 0
    return sweeps.map { sweep in
      let begin = end
      end += sweep.rows * block.count
      return Array(mask[begin..<end])
    }
  }
}
