import Tensors

/// Some rows of a layer before and after compression.
struct CompressedRows: Sendable {
  let before: Matrix
  /// Decoded from what is stored, not from what was meant; without the scales that were applied.
  let after: Matrix
  /// What is stored of the rows; nil where the layer's own weights stay.
  let weights: LayerWeights?
}

/// Compresses any rows of one layer that read the same, each independently of the others.
///
/// All methods work row by row once a layer's pruning threshold and its inputs' factor are known, so
/// rows may be compressed in any order, on any thread, or only some of them for a preview. SparseGPT
/// without a pattern is the exception: it spreads its zeros over the rows that it is given.
struct RowCompressor: Sendable {
  let matrix: LayerWeights
  let shape: LayerShape
  /// Nil unless the scheme prunes by magnitude without a pattern.
  let threshold: PruningThreshold?
  /// Nil unless the scheme is a float format whose rows share magnitudes.
  let ranges: SharedRanges?
  let inputs: LayerInputs
  let scales: ChannelScales

  /// The rows that read what ``inputs`` tells of.
  var rows: Range<Int> { inputs.rows }
  var scheme: Scheme { inputs.scheme }

  /// The same for other rows of the layer.
  func with(_ inputs: LayerInputs) -> RowCompressor {
    RowCompressor(
      matrix: matrix, shape: shape, threshold: threshold, ranges: ranges, inputs: inputs,
      scales: scales)
  }

  /// Compresses the given rows, in the given order.
  func compressed(rows: [Int]) -> CompressedRows {
    let before = matrix.decoded(rows: rows)
    guard !scheme.keepsLayer || !scales.isNone else {
      return CompressedRows(before: before, after: before, weights: nil)
    }
    if var sweep = rowSweep(of: before, rows: rows) {
      while !sweep.columns.isFinished {
        let masks = scheme.blockMasks(of: [sweep.columns], above: self.rows.lowerBound)
        sweep.columns.advance(masking: masks?.first)
      }
      return compressed(rows: rows, before: before, by: sweep)
    }
    let source = source(of: before, rows: rows)
    if let format = scheme.quantization?.float {
      let floats = floatGrid(format, of: source, rows: rows).nearest(source)
      return stored(.floats(floats), before: before, rows: rows)
    }
    guard let grid = grid(for: source, rows: rows) else {
      return dense(source, before: before, rows: rows)
    }
    return stored(grid.storage(of: grid.nearest(source)), before: before, rows: rows)
  }

  /// Begins to sweep the given rows; nil if the scheme sweeps none.
  func rowSweep(rows: [Int]) -> RowSweep? { rowSweep(of: matrix.decoded(rows: rows), rows: rows) }

  /// The rows of a sweep that has ended.
  func compressed(rows: [Int], by sweep: RowSweep) -> CompressedRows {
    compressed(rows: rows, before: matrix.decoded(rows: rows), by: sweep)
  }

  private func rowSweep(of before: Matrix, rows: [Int]) -> RowSweep? {
    guard scheme.sweepOrder != nil, let factor = inputs.factor else { return nil }
    let source = source(of: before, rows: rows)
    let grid = grid(for: source, rows: rows)
    let zeros: ColumnSweep.Zeros =
      switch (scheme.sparsity?.method, scheme.sparsity?.pattern) {
      case (.sparsegpt, .structured(let kept, let of)): .pattern(kept: kept, of: of)
      case (.sparsegpt, _), (nil, _): .none
      case (.magnitude, _), (.wanda, _): .kept
      }
    return RowSweep(
      grid: grid, columns: ColumnSweep(source, factor: factor, grid: grid, zeros: zeros))
  }

  private func compressed(
    rows: [Int], before: Matrix, by sweep: RowSweep
  ) -> CompressedRows {
    guard let grid = sweep.grid else {
      return dense(sweep.columns.result, before: before, rows: rows)
    }
    return stored(grid.storage(of: sweep.columns.resultCodes), before: before, rows: rows)
  }

  /// The weights that are compressed: scaled, and pruned by what is known before a sweep.
  private func source(of before: Matrix, rows: [Int]) -> Matrix {
    var source = before
    // Magnitudes are those of the layer as it is; Wanda's scores are the same under any scales.
    let prunesFirst = scheme.sparsity?.method == .magnitude
    if prunesFirst { prune(&source, layerRows: rows) }
    scales.apply(to: &source, layerRows: rows)
    if !prunesFirst { prune(&source, layerRows: rows) }
    return source
  }

  private func grid(for source: Matrix, rows: [Int]) -> QuantizationGrid? {
    scheme.quantization.map { quantization in
      if let format = quantization.float {
        return QuantizationGrid(floatGrid(format, of: source, rows: rows), of: source)
      }
      return QuantizationGrid(
        fitting: source, scheme: quantization, weights: inputs.secondMoments,
        scaleType: shape.storageType)
    }
  }

  private func floatGrid(
    _ format: FloatFormat, of source: Matrix, rows: [Int]
  ) -> FloatGrid {
    let range = scheme.quantization?.range ?? .minMax
    return FloatGrid(
      fitting: source, format: format, layerRows: rows, ranges: ranges,
      fit: RangeFit(range), importance: range == .weighted ? inputs.secondMoments : nil,
      type: shape.storageType)
  }

  private func dense(_ weights: Matrix, before: Matrix, rows: [Int]) -> CompressedRows {
    let bits = shape.storageType.rounded(weights.values)
    let dense = LayerWeights.dense(
      bits: bits, type: shape.storageType, rows: rows.count, columns: shape.columns)
    return stored(dense, before: before, rows: rows)
  }

  private func stored(
    _ weights: LayerWeights, before: Matrix, rows: [Int]
  ) -> CompressedRows {
    var after = weights.decoded()
    scales.remove(from: &after, layerRows: rows)
    return CompressedRows(before: before, after: after, weights: weights)
  }

  private func prune(_ rows: inout Matrix, layerRows: [Int]) {
    switch scheme.sparsity?.method {
    case nil, .sparsegpt: break
    case .magnitude: pruneByMagnitude(&rows, layerRows: layerRows)
    case .wanda: pruneByInputs(&rows, layerRows: layerRows)
    }
  }

  private func pruneByMagnitude(_ rows: inout Matrix, layerRows: [Int]) {
    switch scheme.sparsity?.pattern {
    case nil: break
    case .structured(let kept, let of): rows.pruneBlocks(kept: kept, of: of)
    case .unstructured:
      for (row, layerRow) in layerRows.enumerated() {
        threshold?.prune(&rows, row: row, layerRow: layerRow)
      }
    }
  }

  private func pruneByInputs(_ rows: inout Matrix, layerRows: [Int]) {
    guard let pattern = scheme.sparsity?.pattern, let moments = inputs.secondMoments else { return }
    let factors = Wanda.factors(secondMoments: moments)
    switch pattern {
    case .structured(let kept, let of): rows.pruneBlocks(kept: kept, of: of, factors: factors)
    case .unstructured:
      for (row, layerRow) in layerRows.enumerated() {
        rows.prune(
          row: row, zeroing: pattern.zeros(inRow: layerRow, columns: shape.columns),
          factors: factors)
      }
    }
  }
}

/// Some rows of a layer on their way through its columns.
struct RowSweep: Sendable {
  /// Nil where weights are pruned only.
  let grid: QuantizationGrid?
  var columns: ColumnSweep
}
