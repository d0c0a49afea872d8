import CKernels
import COpenBLAS

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
      inputs.values.withUnsafeBufferPointer { source in
        guard count > 0, let x = source.baseAddress, let y = buffer.baseAddress else { return }
        let product = StackedProduct(
          x: x, y: y, count: inputs.rows, columns: inputs.columns, outputColumns: outputColumns,
          stack: stack)
        product.run(on: self)
      }
      initialized = count
    }
    return Matrix(rows: inputs.rows, columns: outputColumns, values: values)
  }
}

/// One call's work, and how it is cut into parts.
private struct StackedProduct: @unchecked Sendable {
  // Unchecked: parts read what x points at, and write disjoint columns of y.
  let x: UnsafePointer<Float>
  let y: UnsafeMutablePointer<Float>
  /// Input vectors.
  let count: Int
  let columns: Int
  let outputColumns: Int
  let stack: [LayerWeights]
  /// The inputs prepared for each group size that a packed matrix has.
  private let packedInputs: [Int: PackedInputs]

  /// From this many vectors on, decoding a tile of rows and one GEMM beat products row by row.
  private static let leastForTiles = 6
  /// Rows of a unit of work: for few vectors, and for tiles.
  private static let rowsAUnit = 16
  private static let rowsATile = 64
  /// Weights below which a part is not worth handing to another thread.
  private static let weightsAPart = 24_576

  init(
    x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>, count: Int, columns: Int,
    outputColumns: Int, stack: [LayerWeights]
  ) {
    self.x = x
    self.y = y
    self.count = count
    self.columns = columns
    self.outputColumns = outputColumns
    self.stack = stack
    var prepared: [Int: PackedInputs] = [:]
    if count < Self.leastForTiles {
      for case .packed(let matrix) in stack where prepared[matrix.groupSize] == nil {
        prepared[matrix.groupSize] = PackedInputs(
          x, count: count, columns: columns, groupSize: matrix.groupSize)
      }
    }
    packedInputs = prepared
  }

  private var usesTiles: Bool { count >= Self.leastForTiles }
  private var unitRows: Int { usesTiles ? Self.rowsATile : Self.rowsAUnit }

  func run(on pool: WorkerPool) {
    let units = stack.reduce(0) { $0 + unitCount(of: $1) }
    let least = usesTiles ? 1 : Self.weightsAPart / (unitRows * columns) + 1
    let grain = max(least, units / (pool.threadCount * 8))
    pool.run(count: units, grain: grain) { multiply(units: $0) }
  }

  private func unitCount(of weights: LayerWeights) -> Int {
    (weights.rows + unitRows - 1) / unitRows
  }

  /// Multiplies a range of units, which may lie in several matrices.
  private func multiply(units part: Range<Int>) {
    var firstUnit = 0
    var column = 0
    for weights in stack {
      let count = unitCount(of: weights)
      let units = part.clamped(to: firstUnit..<firstUnit + count)
      if !units.isEmpty {
        let begin = (units.lowerBound - firstUnit) * unitRows
        let end = min((units.upperBound - firstUnit) * unitRows, weights.rows)
        multiply(weights, rows: begin..<end, into: y + column + begin)
      }
      firstUnit += count
      column += weights.rows
    }
  }

  private func multiply(
    _ weights: LayerWeights, rows: Range<Int>, into output: UnsafeMutablePointer<Float>
  ) {
    guard !usesTiles else {
      multiplyTiles(weights, rows: rows, into: output)
      return
    }
    switch weights {
    case .stored(let matrix):
      let isMultiplied = matrix.withKernelView { view in
        vk_rows_times(
          Kernels.level, view, rows.lowerBound, rows.count, x, columns, count, output,
          outputColumns)
      }
      if !isMultiplied { multiplyTiles(weights, rows: rows, into: output) }
    case .packed(let matrix):
      guard let prepared = packedInputs[matrix.groupSize] else { return }
      matrix.withKernelView { view, scratch in
        vk_packed_times(
          Kernels.level, view, rows.lowerBound, rows.count, prepared.inputs, count, scratch,
          output, outputColumns)
      }
    }
  }

  private func multiplyTiles(
    _ weights: LayerWeights, rows: Range<Int>, into output: UnsafeMutablePointer<Float>
  ) {
    for begin in stride(from: rows.lowerBound, to: rows.upperBound, by: Self.rowsATile) {
      let tile = begin..<min(begin + Self.rowsATile, rows.upperBound)
      weights.withDecoded(rows: tile) { decoded in
        cblas_sgemm(
          CblasRowMajor, CblasNoTrans, CblasTrans, Int32(count), Int32(tile.count),
          Int32(columns), 1, x, Int32(columns), decoded, Int32(columns), 0,
          output + (begin - rows.lowerBound), Int32(outputColumns))
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
