import Tensors

/// The pass over a layer that compresses it and measures the error, slice by slice.
struct CompressionPass: Sendable {
  private let compressor: RowCompressor
  private var tally: ErrorTally
  private var codes: [UInt32] = []
  private var scales: [UInt16] = []
  private var points: [UInt8] = []
  private var dense: [UInt16] = []
  private var blocks: [UInt8] = []

  init(compressor: RowCompressor, profile: RowProfile) {
    self.compressor = compressor
    tally = ErrorTally(profile: profile)
  }

  var completedRows: Int { tally.rows }

  /// Compresses at most `rows` more rows.
  mutating func step(rows: Int) {
    let start = tally.rows
    let end = min(compressor.matrix.rows, start + max(1, rows))
    guard start < end else { return }
    let slice = compressor.compressed(rows: Array(start..<end))
    tally.add(slice)
    switch slice.storage {
    case .original: break
    case .dense16(let bits): dense += bits
    case .blocks(let matrix): blocks += matrix.bytes
    case .packed(let packed):
      codes += packed.codes
      scales += packed.scales
      if case .points(let more) = packed.zeros { points += more }
    }
  }

  /// The layer and its report, once all rows are done.
  func finish(original: Int) -> (layer: CompressedLayer, report: LayerReport) {
    let (shape, scheme) = (compressor.shape, compressor.scheme)
    let storage: LayerStorage
    if let block = scheme.quantization?.block {
      storage = .blocks(
        StoredMatrix(
          copying: blocks, type: block.elementType, rows: shape.rows, columns: shape.columns))
    } else if let quantization = scheme.quantization {
      storage = .packed(
        PackedMatrix(
          rows: shape.rows, columns: shape.columns, bits: quantization.bits,
          groupSize: quantization.group.weights(inRowOf: shape.columns), codes: codes,
          scales: scales, scaleType: shape.storageType,
          zeros: quantization.isSymmetric ? .symmetric : .points(points)))
    } else {
      storage = scheme.keepsLayer ? .original(compressor.matrix) : .dense16(dense)
    }
    let size = LayerSize.predicted(for: shape, scheme: scheme, original: original)
    return (
      CompressedLayer(shape: shape, scheme: scheme, storage: storage),
      tally.report(shape: shape, scheme: scheme, size: size)
    )
  }
}
