import Tensors

/// The pass over a layer that compresses it and measures the error, slice by slice.
struct CompressionPass: Sendable {
  /// Rows that are worth another thread.
  private static let leastRows = 16

  private let shape: LayerShape
  private let scheme: Scheme
  private let pool: WorkerPool?
  private var tally: ErrorTally
  private var codes: [UInt32] = []
  private var scales: [UInt16] = []
  private var points: [UInt8] = []
  private var stored = StoredRows()
  private var floats: FloatRows?

  init(shape: LayerShape, scheme: Scheme, profile: RowProfile, pool: WorkerPool?) {
    self.shape = shape
    self.scheme = scheme
    self.pool = pool
    tally = ErrorTally(profile: profile)
  }

  var completedRows: Int { tally.rows }

  /// Compresses at most `rows` more rows, of those that are the compressor's.
  ///
  /// - Throws: ``CompressionError`` naming a row that does not fit in what the scheme stores.
  mutating func step(rows: Int, by compressor: RowCompressor) throws(CompressionError) {
    let start = tally.rows
    let end = min(compressor.rows.upperBound, start + max(1, rows))
    guard start < end else { return }
    let parts = max(1, min(pool?.threadCount ?? 1, (end - start) / Self.leastRows))
    let empty = tally.empty
    let compressed: @Sendable (Int) -> (CompressedRows, ErrorTally) = { part in
      let (first, last) = (part * (end - start) / parts, (part + 1) * (end - start) / parts)
      let slice = compressor.compressed(rows: Array(start + first..<start + last))
      var tally = empty
      tally.add(slice)
      return (slice, tally)
    }
    let slices = pool?.map(count: parts, compressed) ?? (0..<parts).map(compressed)
    for (slice, tally) in slices { try add(slice, counted: tally) }
  }

  /// Takes the layer's next rows, compressed already.
  ///
  /// - Throws: ``CompressionError`` naming a row that does not fit in what the scheme stores.
  mutating func add(_ slice: CompressedRows) throws(CompressionError) {
    var counted = tally.empty
    counted.add(slice)
    try add(slice, counted: counted)
  }

  private mutating func add(
    _ slice: CompressedRows, counted: ErrorTally
  ) throws(CompressionError) {
    try scheme.checkFits(slice.before, slice.after, of: shape.name) { [first = tally.rows] in
      first + $0
    }
    tally.merge(counted)
    switch slice.weights {
    case nil, .stack: break
    case .stored(let matrix):
      stored.type = matrix.type
      stored.bytes += matrix.bytes
    case .floats(let matrix):
      floats = floats ?? FloatRows(divisor: matrix.divisor, type: matrix.type)
      floats?.codes += matrix.codes
      floats?.scales += matrix.scales
    case .packed(let packed):
      codes += packed.codes
      scales += packed.scales
      if case .points(let more) = packed.zeros { points += more }
    }
  }

  /// The layer and its report, once all rows are done.
  ///
  /// - Parameters:
  ///   - matrix: the layer as it was.
  ///   - original: its bytes in the checkpoint.
  ///   - missedExperts: experts that calibration missed.
  /// - Returns: what is kept of the layer, and what is told of it.
  func finish(
    _ matrix: LayerWeights, original: Int, missedExperts: [Int]
  ) -> (layer: CompressedLayer, report: LayerReport) {
    let size = LayerSize.predicted(for: shape, scheme: scheme, original: original)
    return (
      CompressedLayer(shape: shape, scheme: scheme, weights: weights(ofKept: matrix)),
      tally.report(
        shape: shape, scheme: scheme, size: size, missedExperts: missedExperts)
    )
  }

  private func weights(ofKept matrix: LayerWeights) -> LayerWeights {
    if let type = stored.type {
      return .stored(
        StoredMatrix(
          copying: stored.bytes, type: type, rows: shape.rows, columns: shape.columns))
    }
    guard let quantization = scheme.quantization else { return matrix }
    if let format = quantization.float, let floats {
      return .floats(
        FloatMatrix(
          rows: shape.rows, columns: shape.columns, format: format, codes: floats.codes,
          scales: floats.scales, divisor: floats.divisor, type: floats.type))
    }
    return .packed(
      PackedMatrix(
        rows: shape.rows, columns: shape.columns, bits: quantization.bits,
        groupSize: quantization.group.weights(inRowOf: shape.columns), codes: codes,
        scales: scales, scaleType: shape.storageType,
        zeros: quantization.isSymmetric ? .symmetric : .points(points)
      ).tiled())
  }
}

/// 16-bit floats or blocks of the rows done so far, in plain order; without a type there are none.
private struct StoredRows: Sendable {
  var type: ElementType?
  var bytes: [UInt8] = []
}

/// Small floats of the rows done so far.
private struct FloatRows: Sendable {
  let divisor: Float
  let type: ElementType
  var codes: [UInt8] = []
  var scales: [UInt16] = []
}
