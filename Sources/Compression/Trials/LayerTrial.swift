import Tensors

/// Any rows of a layer under a scheme, for previews and for trials of schemes.
///
/// Rows are exactly those of the whole layer, but where zeros are shared out over all rows: magnitude
/// pruning by a ratio goes by an estimated threshold, and SparseGPT by a ratio shares out the zeros over
/// the rows at hand.
public struct LayerTrial: Sendable {
  let threshold: PruningThreshold?
  /// Experts that calibration missed.
  var missedExperts: [Int] { compressors.indices.filter { compressors[$0].inputs.isMissed } }
  private let compressors: [RowCompressor]

  /// Prepares to try a scheme.
  ///
  /// The inputs' factor is made if one is needed and none is given: at once for a plain layer; for each expert of a
  /// stack when its rows are tried, and not kept.
  ///
  /// - Parameters: as of
  ///   ``LayerCompressor/init(matrix:shape:scheme:profile:statistics:factor:scales:pool:)``.
  /// - Throws: ``CompressionError`` when the scheme does not fit the layer, what it needs to know of the inputs is
  ///   missing, or weights that it has to read are not finite.
  public init(
    matrix: LayerWeights, shape: LayerShape, scheme: Scheme, profile: RowProfile? = nil,
    statistics: InputStatistics? = nil, factor: HessianFactor? = nil,
    scales: ChannelScales = .none
  ) throws(CompressionError) {
    try scheme.check(matrix: matrix, shape: shape, profile: profile)
    let parts = try LayerInputs.parts(
      for: scheme, shape: shape, statistics: statistics, factor: factor, scales: scales)
    var threshold: PruningThreshold?
    if scheme.needsThreshold, let pattern = scheme.sparsity?.pattern {
      threshold = .estimated(
        zeroing: pattern.zeros(rows: shape.rows, columns: shape.columns),
        profile: try Self.profile(of: matrix, shape: shape, known: profile), shape: shape)
    }
    var rangePass = SharedRangePass(scheme, matrix: matrix, scales: scales)
    rangePass?.step(rows: shape.rows)
    self.threshold = threshold
    compressors = parts.map { inputs in
      RowCompressor(
        matrix: matrix, shape: shape, threshold: threshold, ranges: rangePass?.ranges,
        inputs: parts.count == 1 ? inputs.ready : inputs, scales: scales)
    }
  }

  /// The given rows, in the given order, as they are and as the compressed layer has them, both without scales.
  ///
  /// - Parameters:
  ///   - rows: of the layer; those of an expert together, or its factor is made more than once.
  ///   - factor: of the inputs of the one expert whose rows they are, if it is at hand.
  /// - Returns: two matrices of these rows.
  /// - Precondition: every index lies within the layer's rows; their weights are finite.
  public func compressed(
    rows: [Int], factor: HessianFactor? = nil
  ) -> (before: Matrix, after: Matrix) {
    var (before, after): ([Float], [Float]) = ([], [])
    var columns = 0
    for chunk in chunks(of: rows) {
      let inputs = factor.map(chunk.compressor.inputs.with) ?? chunk.compressor.inputs.ready
      let found = chunk.compressor.with(inputs).compressed(rows: chunk.rows)
      columns = found.before.columns
      before += found.before.values
      after += found.after.values
    }
    return (
      Matrix(rows: rows.count, columns: columns, values: before),
      Matrix(rows: rows.count, columns: columns, values: after)
    )
  }

  /// Rows of the same expert that follow each other, in the given order.
  private func chunks(of rows: [Int]) -> [(compressor: RowCompressor, rows: [Int])] {
    var chunks: [(compressor: RowCompressor, rows: [Int])] = []
    for row in rows {
      if let last = chunks.last, last.compressor.rows.contains(row) {
        chunks[chunks.count - 1].rows.append(row)
      } else if let compressor = compressors.first(where: { $0.rows.contains(row) }) {
        chunks.append((compressor, [row]))
      }
    }
    return chunks
  }

  private static func profile(
    of matrix: LayerWeights, shape: LayerShape, known: RowProfile?
  ) throws(CompressionError) -> RowProfile {
    if let known { return known }
    var profiler = RowProfiler(matrix: matrix, layer: shape.name)
    while true {
      if let profile = profiler.finish() { return profile }
      try profiler.step(rows: matrix.rows)
    }
  }
}
