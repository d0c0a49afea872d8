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
    products(of: inputs, with: stack.map { LayerPart($0) })
  }

  /// Products of vectors with parts of matrices, in one parallel region.
  ///
  /// - Parameters:
  ///   - inputs: One vector a row.
  ///   - parts: Rows of matrices of `inputs.columns` columns, which are not copied.
  /// - Returns: A row for each input: the products with the first part's rows, then the second's ...
  /// - Precondition: the columns agree.
  public func products(of inputs: Matrix, with parts: [LayerPart]) -> Matrix {
    precondition(parts.allSatisfy { $0.columns == inputs.columns }, "columns do not agree")
    let outputColumns = parts.reduce(0) { $0 + $1.rows.count }
    let pieces = parts.pieces
    let count = inputs.rows * outputColumns
    let values = [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
      inputs.values.withUnsafeBufferPointer { source in
        guard count > 0, let x = source.baseAddress, let y = buffer.baseAddress else { return }
        let prepared = PackedInputs.prepare(inputs, at: x, for: pieces)
        let left =
          inputs.rows < StackedProduct.leastForTiles
          ? nil : PackedLeft(x, count: inputs.rows, columns: inputs.columns, on: self)
        pieces.withOperands(inputs: prepared) { operands in
          let product = StackedProduct(
            x: x, left: left?.panels, y: y, count: inputs.rows, columns: inputs.columns,
            outputColumns: outputColumns, operands: operands)
          product.run(on: self)
        }
        withExtendedLifetime((prepared, left)) {}
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
  /// The same packed, where tiles multiply.
  let left: UnsafePointer<Float>?
  let y: UnsafeMutablePointer<Float>
  /// Input vectors.
  let count: Int
  let columns: Int
  let outputColumns: Int
  let operands: [OperandRows]

  /// From this many vectors on, decoding a tile of rows and products of matrices beat products row by row.
  static let leastForTiles = 6
  /// Rows of a unit of work: for few vectors, and for tiles, which are whole panels.
  private static let rowsAUnit = 16
  private static let rowsATile = 32
  /// The same for so many vectors that reading them again for each tile takes time.
  private static let rowsALargeTile = 96
  private static let manyVectors = 64
  /// Weights below which a part is not worth handing to another thread.
  private static let weightsAPart = 24_576

  private var usesTiles: Bool { left != nil }
  private var tileRows: Int { count < Self.manyVectors ? Self.rowsATile : Self.rowsALargeTile }
  private var unitRows: Int { usesTiles ? tileRows : Self.rowsAUnit }

  func run(on pool: WorkerPool) {
    let units = operands.reduce(0) { $0 + unitCount(ofRows: $1.rows.count) }
    let least = usesTiles ? 1 : Self.weightsAPart / (unitRows * columns) + 1
    let grain = max(least, units / (pool.threadCount * 8))
    pool.run(count: units, grain: grain) { multiply(units: $0) }
  }

  private func unitCount(ofRows rows: Int) -> Int { (rows + unitRows - 1) / unitRows }

  /// Multiplies a range of units, which may lie in several matrices.
  private func multiply(units wanted: Range<Int>) {
    var firstUnit = 0
    var column = 0
    for part in operands {
      let rows = part.rows.count
      let endUnit = firstUnit + unitCount(ofRows: rows)
      let units = wanted.clamped(to: firstUnit..<endUnit)
      if !units.isEmpty {
        let begin = (units.lowerBound - firstUnit) * unitRows
        let end = min((units.upperBound - firstUnit) * unitRows, rows)
        let first = part.rows.lowerBound
        multiply(part.operand, rows: first + begin..<first + end, into: y + column + begin)
      }
      firstUnit = endUnit
      column += rows
    }
  }

  private func multiply(
    _ operand: Operand, rows: Range<Int>, into output: UnsafeMutablePointer<Float>
  ) {
    if let left {
      multiplyTiles(operand, rows: rows, by: left, into: output)
    } else if !operand.multiply(
      rows: rows, x: x, count: count, columns: columns, into: output, stride: outputColumns)
    {
      multiplyDecoded(operand, rows: rows, into: output)
    }
  }

  /// Products of single rows that no kernel multiplies as they are.
  private func multiplyDecoded(
    _ operand: Operand, rows: Range<Int>, into output: UnsafeMutablePointer<Float>
  ) {
    ThreadScratch.withFloats(unitRows * columns) { decoded in
      for begin in stride(from: rows.lowerBound, to: rows.upperBound, by: unitRows) {
        let part = begin..<min(begin + unitRows, rows.upperBound)
        operand.decode(rows: part, into: decoded)
        var view = vk_rows(
          elements: UnsafeRawPointer(decoded).assumingMemoryBound(to: UInt8.self), columns: columns,
          type: VK_F32, interleaved_head: 0)
        vk_rows_times(
          Kernels.level, &view, 0, part.count, x, columns, count,
          output + (begin - rows.lowerBound), outputColumns)
      }
    }
  }

  private func multiplyTiles(
    _ operand: Operand, rows: Range<Int>, by left: UnsafePointer<Float>,
    into output: UnsafeMutablePointer<Float>
  ) {
    let (level, panel) = (Kernels.level, vk_panel_rows(Kernels.level, VK_RIGHT))
    let packedCount = vk_packed_floats(level, VK_RIGHT, tileRows, columns)
    ThreadScratch.withFloats(packedCount + panel * columns) { packed in
      for begin in stride(from: rows.lowerBound, to: rows.upperBound, by: tileRows) {
        let tile = begin..<min(begin + tileRows, rows.upperBound)
        pack(operand, rows: tile, into: packed, by: packed + packedCount)
        vk_gemm(
          level, left, count, packed, tile.count, columns, 0, output + (begin - rows.lowerBound),
          outputColumns)
      }
    }
  }

  /// Decodes and packs rows, a panel at a time.
  private func pack(
    _ operand: Operand, rows: Range<Int>, into packed: UnsafeMutablePointer<Float>,
    by decoded: UnsafeMutablePointer<Float>
  ) {
    let panel = vk_panel_rows(Kernels.level, VK_RIGHT)
    for begin in stride(from: rows.lowerBound, to: rows.upperBound, by: panel) {
      let part = begin..<min(begin + panel, rows.upperBound)
      operand.decode(rows: part, into: decoded)
      var factor = vk_factor(
        elements: decoded, rows: part.count, columns: columns, row_stride: columns,
        column_stride: 1)
      vk_pack_factor(
        Kernels.level, VK_RIGHT, &factor, packed + (begin - rows.lowerBound) * columns)
    }
  }
}

extension PackedInputs {
  /// The inputs prepared for each group size of some parts; none where tiles multiply.
  fileprivate static func prepare(
    _ inputs: Matrix, at x: UnsafePointer<Float>, for parts: [LayerPart]
  ) -> [PackedInputs] {
    var prepared: [PackedInputs] = []
    guard inputs.rows < StackedProduct.leastForTiles else { return prepared }
    for case .packed(let matrix) in parts.lazy.map(\.weights)
    where !prepared.contains(where: { $0.groupSize == matrix.groupSize }) {
      prepared.append(
        PackedInputs(
          x, count: inputs.rows, columns: inputs.columns, groupSize: matrix.groupSize))
    }
    return prepared
  }
}
