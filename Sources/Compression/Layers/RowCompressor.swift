import Tensors

/// Some rows of a layer before and after compression.
struct CompressedRows: Sendable {
  let before: Matrix
  /// Decoded from what is stored, not from what was meant.
  let after: Matrix
  let storage: Storage

  enum Storage: Sendable {
    case packed(PackedMatrix)
    case blocks(StoredMatrix)
    case dense16([UInt16])
    case original
  }
}

/// Compresses any rows of one layer, each independently of the others.
///
/// All methods here work row by row once a layer's pruning threshold is known, so rows may be
/// compressed in any order, on any thread, or only some of them for a preview.
struct RowCompressor: Sendable {
  let matrix: StoredMatrix
  let shape: LayerShape
  let scheme: Scheme
  /// Nil unless the scheme prunes without a pattern.
  let threshold: PruningThreshold?
  /// What is known of the layer's inputs.
  let statistics: InputStatistics?

  /// Compresses the given rows, in the given order.
  func compressed(rows: [Int]) -> CompressedRows {
    let before = matrix.decoded(rows: rows)
    guard !scheme.keepsLayer else {
      return CompressedRows(before: before, after: before, storage: .original)
    }
    var survivors = before
    prune(&survivors, layerRows: rows)
    guard let quantization = scheme.quantization else {
      let bits = shape.storageType.rounded(survivors.values)
      let after = Matrix(
        rows: rows.count, columns: shape.columns, values: shape.storageType.widened(bits))
      return CompressedRows(before: before, after: after, storage: .dense16(bits))
    }
    let grid = QuantizationGrid(
      fitting: survivors, scheme: quantization, weights: statistics?.secondMoments,
      scaleType: shape.storageType)
    switch grid.storage(of: grid.nearest(survivors)) {
    case .packed(let packed):
      return CompressedRows(before: before, after: packed.decoded(), storage: .packed(packed))
    case .blocks(let blocks):
      let after = blocks.decoded(rows: 0..<blocks.rows)
      return CompressedRows(before: before, after: after, storage: .blocks(blocks))
    }
  }

  private func prune(_ rows: inout Matrix, layerRows: [Int]) {
    switch scheme.sparsity?.pattern {
    case nil: break
    case .structured(let kept, let of): rows.pruneBlocks(kept: kept, of: of)
    case .unstructured:
      for (row, layerRow) in layerRows.enumerated() {
        threshold?.prune(&rows, row: row, layerRow: layerRow)
      }
    }
  }
}
