import CKernels

/// Choices of what to prune by scores.
public enum Selection {
  /// A mask of the smallest scores: 1 for each of them; of equal ones the first.
  ///
  /// - Precondition: no score is negative, and there are at least `count`.
  public static func smallest(_ count: Int, of scores: [Float]) -> [UInt8] {
    precondition(count >= 0 && count <= scores.count, "no more than there are")
    return [UInt8](unsafeUninitializedCapacity: scores.count) { mask, initialized in
      if let mask = mask.baseAddress { vk_mask_smallest(scores, scores.count, count, mask) }
      initialized = scores.count
    }
  }
}

extension Matrix {
  /// Zeroes the `count` weights of a row whose magnitudes times their columns' factors are least.
  ///
  /// - Precondition: a factor a column, none negative; the row has as many weights.
  public mutating func prune(row: Int, zeroing count: Int, factors: [Float]) {
    let mask = Selection.smallest(count, of: magnitudes(ofRow: row, factors: factors))
    for (column, isChosen) in mask.enumerated() where isChosen == 1 { self[row, column] = 0 }
  }

  /// Zeroes, of every `of` consecutive weights of a row, all but the `kept` whose magnitudes times their columns'
  /// factors are largest.
  ///
  /// - Precondition: as of ``pruneBlocks(kept:of:)``; a factor a column, all positive.
  public mutating func pruneBlocks(kept: Int, of: Int, factors: [Float]) {
    var scores = Matrix(
      rows: rows, columns: columns,
      values: (0..<rows).flatMap { magnitudes(ofRow: $0, factors: factors) })
    scores.pruneBlocks(kept: kept, of: of)
    for (place, score) in scores.values.enumerated() where score == 0 { values[place] = 0 }
  }

  private func magnitudes(ofRow row: Int, factors: [Float]) -> [Float] {
    precondition(factors.count == columns, "a factor a column")
    return zip(self.row(row), factors).map { abs($0) * $1 }
  }
}
