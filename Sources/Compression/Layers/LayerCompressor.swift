import Tensors

/// Compresses one layer in slices of rows and measures what that did.
///
/// A caller asks for some rows at a time and may drop the compressor between any two slices. It is
/// a value: nothing is shared, and several layers may be compressed at once.
public struct LayerCompressor: Sendable {
  private let matrix: LayerWeights
  private let shape: LayerShape
  private let scheme: Scheme
  private let scales: ChannelScales
  private let pool: WorkerPool?
  private let passes: Int
  private let factorPasses: Int
  /// Rows that read the same, in their order; each part's factor is made when its turn comes, and dropped after it.
  private var parts: [LayerInputs]
  private var partNumber = 0
  // The phases, in this order; a later one exists once the one before it has ended. The last one goes through the
  // parts, and makes of each first the factor and then the blockwise sweep, where it takes them.
  private var profiler: RowProfiler?
  private var profile: RowProfile?
  private var selector: ThresholdSelector?
  private var threshold: PruningThreshold?
  private var rangePass: SharedRangePass?
  private var pass: CompressionPass?
  private var compressor: RowCompressor?
  private var blockwise: BlockwisePass?
  private var takenSlices = 0

  /// Prepares to compress a layer.
  ///
  /// - Parameters:
  ///   - matrix: the layer's weights in the checkpoint.
  ///   - shape: the layer without its weights; of the matrix's shape.
  ///   - scheme: what to do with it.
  ///   - profile: the layer's profile; computed first if nil.
  ///   - statistics: of the layer's inputs, as far as ``Scheme/calibrationNeed`` says.
  ///   - factor: of the same inputs, in ``Scheme/sweepOrder``; made from `statistics` if nil or in another
  ///     order, or if inputs are rescaled.
  ///   - scales: what the weights are multiplied by before they are compressed.
  ///   - pool: threads that share the work.
  /// - Throws: ``CompressionError`` when the scheme or the shape does not fit the weights, or what the
  ///   scheme needs to know of the inputs is missing.
  public init(
    matrix: LayerWeights, shape: LayerShape, scheme: Scheme, profile: RowProfile? = nil,
    statistics: InputStatistics? = nil, factor: HessianFactor? = nil,
    scales: ChannelScales = .none, pool: WorkerPool? = nil
  ) throws(CompressionError) {
    try scheme.check(matrix: matrix, shape: shape, profile: profile)
    parts = try LayerInputs.parts(
      for: scheme, shape: shape, statistics: statistics, factor: factor, scales: scales)
    self.matrix = matrix
    self.shape = shape
    self.scheme = scheme
    self.scales = scales
    self.pool = pool
    self.profile = profile
    rangePass = SharedRangePass(scheme, matrix: matrix, scales: scales)
    factorPasses = parts.allSatisfy(\.isReady) ? 0 : 1
    passes =
      1 + (rangePass == nil ? 0 : 1) + (profile == nil ? 2 : 0) + (scheme.needsThreshold ? 2 : 0)
      + factorPasses + (scheme.sweepsBlockwise ? 1 : 0)
    if profile == nil { profiler = RowProfiler(matrix: matrix, layer: shape.name) }
    beginNext()
  }

  /// Rows to ask for at a time so that a step takes some milliseconds.
  public var suggestedStep: Int {
    let searches = scheme.quantization.map { $0.range != .minMax } ?? false
    let weights = searches || scheme.sweepOrder != nil ? 1 << 17 : 1 << 19
    return max(16, weights / shape.columns) * (pool?.threadCount ?? 1)
  }

  /// Share of the work that is done, from 0 to 1.
  public var progress: Double {
    let rows =
      (profiler?.completedRows ?? 0) + (selector?.completedRows ?? 0)
      + (rangePass?.completedRows ?? 0) + (pass?.completedRows ?? 0)
    return (Double(rows) / Double(matrix.rows) + sweepProgress) / Double(passes)
  }

  /// How far factors and blockwise sweeps have come, from 0 to the number of these two that the scheme takes.
  private var sweepProgress: Double {
    let passes = factorPasses + (scheme.sweepsBlockwise ? 1 : 0)
    guard passes > 0, !isFinished else { return Double(passes) }
    let factor = pass == nil ? 0 : Double(factorPasses) * parts[partNumber].progress
    let part = factor + (blockwise?.progress ?? 0)
    return (Double(partNumber * passes) + part) / Double(parts.count)
  }

  /// Whether ``finish(original:)`` has something to return.
  public var isFinished: Bool { pass?.completedRows == matrix.rows }

  /// Works on at most `rows` more rows.
  ///
  /// - Throws: ``CompressionError`` that names the first row with a NaN or an infinity, or one that overflows.
  public mutating func step(rows: Int) throws(CompressionError) {
    if let compressor {
      try compress(rows: rows, by: compressor)
    } else if pass != nil {
      parts[partNumber].step()
    } else if profile == nil {
      try profiler?.step(rows: rows, pool: pool)
      profile = profiler?.finish()
    } else if selector != nil, threshold == nil {
      selector?.step(rows: rows)
      threshold = selector?.threshold
    } else {
      rangePass?.step(rows: rows)
    }
    beginNext()
  }

  /// Begins the next phase if the one before it has ended.
  private mutating func beginNext() {
    guard let profile, !isFinished else { return }
    if scheme.needsThreshold, threshold == nil {
      guard selector == nil, let pattern = scheme.sparsity?.pattern else { return }
      selector = ThresholdSelector(
        matrix: matrix, profile: profile,
        zeroing: pattern.zeros(rows: shape.rows, columns: shape.columns))
      return
    }
    if let rangePass, rangePass.ranges == nil { return }
    pass = pass ?? CompressionPass(shape: shape, scheme: scheme, profile: profile, pool: pool)
    if let compressor, pass?.completedRows == compressor.rows.upperBound { leavePart() }
    guard compressor == nil, parts[partNumber].isReady else { return }
    let compressor = RowCompressor(
      matrix: matrix, shape: shape, threshold: threshold, ranges: rangePass?.ranges,
      inputs: parts[partNumber], scales: scales)
    self.compressor = compressor
    guard compressor.scheme.sweepsBlockwise else { return }
    blockwise = BlockwisePass(
      compressor: compressor, rowsASlice: max(16, (1 << 17) / shape.columns), pool: pool)
  }

  private mutating func leavePart() {
    parts[partNumber].dropFactor()
    partNumber += 1
    (compressor, blockwise, takenSlices) = (nil, nil, 0)
  }

  private mutating func compress(
    rows: Int, by compressor: RowCompressor
  ) throws(CompressionError) {
    switch blockwise?.isFinished {
    case nil:
      try pass?.step(rows: rows, by: compressor)
    case false?:
      blockwise?.step()
    case true?:
      guard let slice = blockwise?.compressed(slice: takenSlices) else { return }
      try pass?.add(slice)
      takenSlices += 1
    }
  }

  /// The layer and its exact report, once ``isFinished``; nil before.
  ///
  /// - Parameter original: bytes of the layer in the checkpoint.
  /// - Returns: what an export stores, and what it says of itself.
  public func finish(original: Int) -> (layer: CompressedLayer, report: LayerReport)? {
    guard isFinished else { return nil }
    return pass?.finish(
      matrix, original: original, missedExperts: parts.indices.filter { parts[$0].isMissed })
  }
}

extension Scheme {
  /// Whether magnitude pruning looks at the whole layer before it knows what to zero.
  var needsThreshold: Bool {
    guard let sparsity, case .unstructured = sparsity.pattern else { return false }
    return sparsity.method == .magnitude
  }

  /// Whether all rows go through a block of columns before any goes on.
  var sweepsBlockwise: Bool {
    guard let sparsity, case .unstructured = sparsity.pattern else { return false }
    return sparsity.method == .sparsegpt
  }

  func check(
    matrix: LayerWeights, shape: LayerShape, profile: RowProfile?
  ) throws(CompressionError) {
    do {
      try validated(for: shape)
    } catch {
      throw CompressionError(layer: shape.name, reason: error.reason)
    }
    guard matrix.rows == shape.rows, matrix.columns == shape.columns,
      profile.map({ $0.energies.count == shape.rows }) ?? true
    else {
      throw CompressionError(
        layer: shape.name,
        reason: "its weights are \(matrix.rows) x \(matrix.columns), "
          + "not \(shape.rows) x \(shape.columns)")
    }
  }
}
