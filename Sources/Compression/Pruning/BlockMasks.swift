import Tensors

extension Scheme {
  /// What SparseGPT zeroes in the next block of columns, when it goes by a ratio: the block's share of the zeros, taken
  /// where in all rows the loss costs least.
  ///
  /// - Parameter sweeps: rows of one layer, all at the same block.
  /// - Returns: a mask for each sweep; nil if the scheme prunes in another way.
  func blockMasks(of sweeps: [ColumnSweep]) -> [[UInt8]]? {
    guard let sparsity, sparsity.method == .sparsegpt, case .unstructured = sparsity.pattern,
      let block = sweeps.first?.block
    else { return nil }
    let rows = sweeps.reduce(0) { $0 + $1.rows }
    let zeros =
      sparsity.pattern.zeros(rows: rows, columns: block.upperBound)
      - sparsity.pattern.zeros(rows: rows, columns: block.lowerBound)
    let mask = Selection.smallest(zeros, of: sweeps.flatMap { $0.scores() })
    var end = 0
    return sweeps.map { sweep in
      let start = end
      end += sweep.rows * block.count
      return Array(mask[start..<end])
    }
  }
}
