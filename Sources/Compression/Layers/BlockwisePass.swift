import Tensors

/// A sweep in which all rows go through a block of columns before any goes on: SparseGPT by a ratio, whose
/// zeros are spread over all rows.
struct BlockwisePass: Sendable {
  private let compressor: RowCompressor
  private let slices: [Range<Int>]
  private let pool: WorkerPool?
  private var sweeps: [RowSweep] = []
  private var masks: [[UInt8]] = []
  /// Slices that the current block is done in.
  private var advanced = 0

  init(compressor: RowCompressor, rowsASlice: Int, pool: WorkerPool?) {
    self.compressor = compressor
    self.pool = pool
    let rows = compressor.rows
    slices = stride(from: rows.lowerBound, to: rows.upperBound, by: rowsASlice).map {
      $0..<min(rows.upperBound, $0 + rowsASlice)
    }
  }

  var isFinished: Bool {
    sweeps.count == slices.count && sweeps.allSatisfy { $0.columns.isFinished }
  }

  /// Share of the work that is done, from 0 to 1.
  var progress: Double {
    let columns = Double(compressor.shape.columns)
    let begin = Double(sweeps.first?.columns.block.lowerBound ?? 0)
    let slice = Double(slices.count)
    let block = Double(sweeps.first?.columns.block.count ?? 0) * Double(advanced) / slice
    return 0.5 * Double(sweeps.count) / slice + 0.5 * (begin + block) / columns
  }

  /// Begins with some more rows, or takes some through the current block.
  mutating func step() {
    let threads = pool?.threadCount ?? 1
    if sweeps.count < slices.count {
      let next = slices[sweeps.count..<min(slices.count, sweeps.count + threads)]
      let compressor = compressor
      sweeps += map(count: next.count) { index in
        compressor.rowSweep(rows: Array(next[next.startIndex + index]))
      }.compactMap { $0 }
      return
    }
    if advanced == 0 {
      masks =
        compressor.scheme.blockMasks(
          of: sweeps.map(\.columns), above: compressor.rows.lowerBound) ?? []
    }
    let end = min(slices.count, advanced + threads)
    let (start, masks) = (advanced, masks)
    let part = Array(sweeps[start..<end])
    let moved = map(count: part.count) { index in
      var sweep = part[index]
      sweep.columns.advance(masking: masks[start + index])
      return sweep
    }
    sweeps.replaceSubrange(start..<end, with: moved)
    advanced = end == slices.count ? 0 : end
  }

  /// The compressed rows of a slice, once ``isFinished``.
  func compressed(slice: Int) -> CompressedRows {
    compressor.compressed(rows: Array(slices[slice]), by: sweeps[slice])
  }

  private func map<Result: Sendable>(
    count: Int, _ body: @Sendable (Int) -> Result
  ) -> [Result] {
    pool?.map(count: count, body) ?? (0..<count).map(body)
  }
}
