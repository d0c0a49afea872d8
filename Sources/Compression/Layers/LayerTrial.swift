import Tensors

/// Any rows of a layer under a scheme, for previews and for trials of schemes.
///
/// Rows are exactly those of the whole layer, but where zeros are shared out over all rows: magnitude
/// pruning by a ratio goes by an estimated threshold, and SparseGPT by a ratio shares out the zeros over
/// the rows at hand.
public struct LayerTrial: Sendable {
  let compressor: RowCompressor

  /// Prepares to try a scheme; makes the inputs' factor if one is needed and none is given.
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
    var inputs = try LayerInputs(
      for: scheme, shape: shape, statistics: statistics, factor: factor, scales: scales)
    while inputs.factor == nil, inputs.factorization != nil {
      inputs.factorization?.step()
      inputs.factor = inputs.factorization?.finish()
    }
    var threshold: PruningThreshold?
    if scheme.needsThreshold, let pattern = scheme.sparsity?.pattern {
      threshold = .estimated(
        zeroing: pattern.zeros(rows: shape.rows, columns: shape.columns),
        profile: try Self.profile(of: matrix, shape: shape, known: profile), shape: shape)
    }
    var rangePass = SharedRangePass(scheme, matrix: matrix, scales: scales)
    rangePass?.step(rows: shape.rows)
    compressor = RowCompressor(
      matrix: matrix, shape: shape, scheme: scheme, threshold: threshold,
      ranges: rangePass?.ranges, inputs: inputs, scales: scales)
  }

  /// The given rows, in the given order, as they are and as the compressed layer has them, both without scales.
  ///
  /// - Precondition: every index lies within the layer's rows; their weights are finite.
  public func compressed(rows: [Int]) -> (before: Matrix, after: Matrix) {
    let rows = compressor.compressed(rows: rows)
    return (rows.before, rows.after)
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
