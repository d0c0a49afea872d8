import Tensors

/// Compresses one layer in slices of rows and measures what that did.
///
/// A caller asks for some rows at a time and may drop the compressor between any two slices. It is
/// a value: nothing is shared, and several layers may be compressed at once.
public struct LayerCompressor: Sendable {
  private let matrix: StoredMatrix
  private let shape: LayerShape
  private let scheme: Scheme
  private let statistics: InputStatistics?
  private let totalRows: Int
  // The phases, in this order; a later one exists once the one before it has ended.
  private var profiler: RowProfiler?
  private var profile: RowProfile?
  private var selector: ThresholdSelector?
  private var pass: CompressionPass?

  /// Prepares to compress a layer.
  ///
  /// - Parameters:
  ///   - matrix: the layer's weights in the checkpoint.
  ///   - shape: the layer without its weights; of the matrix's shape.
  ///   - scheme: what to do with it.
  ///   - profile: the layer's profile; computed first if nil.
  ///   - statistics: what calibration knows of the layer's inputs, where the scheme needs it.
  /// - Throws: ``CompressionError`` when the scheme or the shape does not fit the weights, or when
  ///   the scheme needs calibration that is missing.
  public init(
    matrix: StoredMatrix, shape: LayerShape, scheme: Scheme, profile: RowProfile? = nil,
    statistics: InputStatistics? = nil
  ) throws(CompressionError) {
    try scheme.check(matrix: matrix, shape: shape, profile: profile, statistics: statistics)
    self.statistics = statistics
    self.matrix = matrix
    self.shape = shape
    self.scheme = scheme
    let passes = 1 + (profile == nil ? 2 : 0) + (scheme.needsThreshold ? 2 : 0)
    totalRows = matrix.rows * passes
    if let profile = profile {
      begin(with: profile)
    } else {
      profiler = RowProfiler(matrix: matrix, layer: shape.name)
    }
  }

  /// Rows to ask for at a time so that a step takes some milliseconds.
  public var suggestedStep: Int {
    let searches = scheme.quantization.map { $0.range != .minMax } ?? false
    let weights = searches ? 1 << 17 : 1 << 19
    return max(1, weights / shape.columns)
  }

  /// Share of the work that is done, from 0 to 1.
  public var progress: Double {
    let rows =
      (profiler?.completedRows ?? 0) + (selector?.completedRows ?? 0) + (pass?.completedRows ?? 0)
    return Double(rows) / Double(totalRows)
  }

  /// Whether ``finish(original:)`` has something to return.
  public var isFinished: Bool { pass?.completedRows == matrix.rows }

  /// Works on at most `rows` more rows.
  ///
  /// - Throws: ``CompressionError`` that names the first row with a NaN or an infinity.
  public mutating func step(rows: Int) throws(CompressionError) {
    if pass != nil {
      pass?.step(rows: rows)
    } else if selector != nil, let profile = profile {
      selector?.step(rows: rows)
      if let threshold = selector?.threshold { compress(with: profile, threshold: threshold) }
    } else {
      try profiler?.step(rows: rows)
      if let profile = profiler?.finish() { begin(with: profile) }
    }
  }

  private mutating func begin(with profile: RowProfile) {
    self.profile = profile
    guard scheme.needsThreshold, let pattern = scheme.sparsity?.pattern else {
      return compress(with: profile, threshold: nil)
    }
    selector = ThresholdSelector(
      matrix: matrix, profile: profile,
      zeroing: pattern.zeros(rows: shape.rows, columns: shape.columns))
  }

  private mutating func compress(with profile: RowProfile, threshold: PruningThreshold?) {
    let compressor = RowCompressor(
      matrix: matrix, shape: shape, scheme: scheme, threshold: threshold, statistics: statistics)
    pass = CompressionPass(compressor: compressor, profile: profile)
  }

  /// The layer and its exact report, once ``isFinished``; nil before.
  ///
  /// - Parameter original: bytes of the layer in the checkpoint.
  /// - Returns: what an export stores, and what it says of itself.
  public func finish(original: Int) -> (layer: CompressedLayer, report: LayerReport)? {
    isFinished ? pass?.finish(original: original) : nil
  }
}

extension Scheme {
  /// Whether pruning looks at the whole layer before it knows what to zero.
  var needsThreshold: Bool {
    if case .unstructured = sparsity?.pattern { true } else { false }
  }

  func check(
    matrix: StoredMatrix, shape: LayerShape, profile: RowProfile?, statistics: InputStatistics?
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
    if let method = quantization?.method, method != .rtn, method != .hqq {
      throw CompressionError(
        layer: shape.name,
        reason: "codes cannot be chosen by \(method.rawValue); by rtn and hqq they can")
    }
    guard calibrationNeed > .nothing else { return }
    guard let statistics else {
      throw CompressionError(
        layer: shape.name, reason: "\(summary) needs calibration: what the layer's inputs are like")
    }
    guard statistics.columns == shape.columns else {
      throw CompressionError(
        layer: shape.name,
        reason: "calibration saw \(statistics.columns) inputs of it, not \(shape.columns)")
    }
  }
}
