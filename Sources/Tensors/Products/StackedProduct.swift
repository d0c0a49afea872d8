import COpenBLAS
import CKernels

extension WorkerPool {
  /// Products of vectors with matrices stacked one below the other, in one parallel region.
  ///
  /// - Parameters:
  ///   - inputs: One vector a row.
  ///   - stack: Matrices of `inputs.columns` columns.
  /// - Returns: A row for each input: the products with the first matrix's rows, then the second's ...
  /// - Precondition: the columns agree.
  public func products(of inputs: Matrix, with stack: [LayerWeights]) -> Matrix {
    precondition(stack.allSatisfy { $0.columns == inputs.columns }, "columns do not agree")
    let outputColumns = stack.reduce(0) { $0 + $1.rows }
    let count = inputs.rows * outputColumns
    let values = [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
      let product = StackedProduct(inputs: inputs, stack: stack, outputColumns: outputColumns)
      if count > 0, let start = buffer.baseAddress { product.run(on: self, into: start) }
      initialized = count
    }
    return Matrix(rows: inputs.rows, columns: outputColumns, values: values)
  }
}

/// One call's work: which rows of which matrix form a part.
private struct StackedProduct {
  /// From this many vectors on, decoding a tile of rows and one GEMM beats row by row products.
  private static let leastForTiles = 6
  /// Rows of a unit of work: for single vectors, and for tiles.
  private static let rowsAUnit = 16, rowsATile = 64
  /// Weights below which a part is not worth handing to another thread.
  private static let weightsAPart = 24_576

  let inputs: Matrix
  let stack: [LayerWeights]
  let outputColumns: Int
  let usesTiles: Bool
  let unitRows: Int
  /// Sums of the inputs over groups, for each group size that a packed matrix has.
  let groupSums: [Int: [Float]]

  init(inputs: Matrix, stack: [LayerWeights], outputColumns: Int) {
    self.inputs = inputs
    self.stack = stack
    self.outputColumns = outputColumns
    usesTiles = inputs.rows >= Self.leastForTiles
    unitRows = usesTiles ? Self.rowsATile : Self.rowsAUnit
    var sums: [Int: [Float]] = [:]
    if !usesTiles {
      for case .packed(let matrix) in stack where sums[matrix.groupSize] == nil {
        sums[matrix.groupSize] = Self.sums(of: inputs, overGroupsOf: matrix.groupSize)
      }
    }
    groupSums = sums
  }

  func run(on pool: WorkerPool, into output: UnsafeMutablePointer<Float>) {
    let units = stack.reduce(0) { $0 + unitCount(of: $1) }
    let least = usesTiles ? 1 : Self.weightsAPart / (unitRows * inputs.columns) + 1
    let grain = max(least, units / (pool.threadCount * 8))
    inputs.values.withUnsafeBufferPointer { buffer in
      guard let start = buffer.baseAddress else { return }
      // Parts write disjoint columns of the output, and only read the input.
      nonisolated(unsafe) let (x, y) = (start, output)
      pool.run(count: units, grain: grain) { part in forEachPiece(of: part) { $0.multiply(x, y) } }
    }
  }

  private func unitCount(of weights: LayerWeights) -> Int {
    (weights.rows + unitRows - 1) / unitRows
  }

  /// Splits a range of units at the borders of matrices.
  private func forEachPiece(of part: Range<Int>, _ body: (Piece) -> Void) {
    var firstUnit = 0
    var column = 0
    for weights in stack {
      let units = part.clamped(to: firstUnit..<firstUnit + unitCount(of: weights))
      if !units.isEmpty {
        let begin = (units.lowerBound - firstUnit) * unitRows
        let end = min((units.upperBound - firstUnit) * unitRows, weights.rows)
        body(Piece(product: self, weights: weights, rows: begin..<end, column: column))
      }
      firstUnit += unitCount(of: weights)
      column += weights.rows
    }
  }

  private static func sums(of inputs: Matrix, overGroupsOf size: Int) -> [Float] {
    let groups = inputs.values.count / size
    return [Float](unsafeUninitializedCapacity: groups) { buffer, initialized in
      inputs.values.withUnsafeBufferPointer { x in
        vk_group_sums(Kernels.level, x.baseAddress, x.count, size, buffer.baseAddress)
      }
      initialized = groups
    }
  }

  /// Consecutive rows of one matrix, and where their products go.
  struct Piece {
    let product: StackedProduct
    let weights: LayerWeights
    let rows: Range<Int>
    /// Output column of the matrix's first row.
    let column: Int

    func multiply(_ x: UnsafePointer<Float>, _ output: UnsafeMutablePointer<Float>) {
      let y = output + column + rows.lowerBound
      if product.usesTiles {
        multiplyTiles(x, y)
        return
      }
      switch weights {
      case .stored(let matrix): multiply(matrix, x, y)
      case .packed(let matrix): multiply(matrix, x, y)
      }
    }

    private func multiply(
      _ matrix: StoredMatrix, _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>
    ) {
      let inputs = product.inputs
      let isMultiplied = matrix.withKernelView { view in
        vk_rows_times(
          Kernels.level, view, rows.lowerBound, rows.count, x, inputs.columns, inputs.rows, y,
          product.outputColumns)
      }
      if !isMultiplied { multiplyTiles(x, y) }
    }

    private func multiply(
      _ matrix: PackedMatrix, _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>
    ) {
      let inputs = product.inputs
      guard let sums = product.groupSums[matrix.groupSize] else { return }
      matrix.withKernelView { view, scratch in
        vk_packed_times(
          Kernels.level, view, rows.lowerBound, rows.count, x, inputs.columns, sums,
          matrix.groupsPerRow, inputs.rows, scratch, y, product.outputColumns)
      }
    }

    private func multiplyTiles(_ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>) {
      let inputs = product.inputs
      for begin in stride(from: rows.lowerBound, to: rows.upperBound, by: product.unitRows) {
        let tile = begin..<min(begin + product.unitRows, rows.upperBound)
        weights.withDecoded(rows: tile) { decoded in
          cblas_sgemm(
            CblasRowMajor, CblasNoTrans, CblasTrans, Int32(inputs.rows), Int32(tile.count),
            Int32(inputs.columns), 1, x, Int32(inputs.columns), decoded, Int32(inputs.columns), 0,
            y + (begin - rows.lowerBound), Int32(product.outputColumns))
        }
      }
    }
  }
}

extension LayerWeights {
  /// Calls `body` with the given rows, decoded into memory of their own.
  fileprivate func withDecoded(
    rows range: Range<Int>, _ body: (UnsafePointer<Float>) -> Void
  ) {
    withUnsafeTemporaryAllocation(of: Float.self, capacity: range.count * columns) { tile in
      guard let start = tile.baseAddress else { return }
      switch self {
      case .stored(let matrix): matrix.decode(rows: range, into: start)
      case .packed(let matrix): matrix.decode(rows: range, into: start)
      }
      body(start)
    }
  }
}

extension StoredMatrix {
  /// Calls `body` with the matrix as kernels see it; returns false, without a call, for block types.
  fileprivate func withKernelView(_ body: (UnsafePointer<vk_rows>) -> Void) -> Bool {
    let kernelType: vk_float_type
    switch type {
    case .float32: kernelType = VK_F32
    case .float16: kernelType = VK_F16
    case .bfloat16: kernelType = VK_BF16
    default: return false
    }
    let interleavedHead =
      switch rowOrder {
      case .plain: 0
      case .interleavedHalves(let heads): rows / heads
      }
    storage.withBytes(in: offset..<offset + byteCount) { span in
      span.withUnsafeBytes { bytes in
        var view = vk_rows(
          elements: bytes.bindMemory(to: UInt8.self).baseAddress, columns: columns,
          type: kernelType, interleaved_head: interleavedHead)
        body(&view)
      }
    }
    return true
  }
}
