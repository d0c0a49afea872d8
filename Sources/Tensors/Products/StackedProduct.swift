import CKernels

extension WorkerPool {
  /// Products of vectors with matrices stacked one below the other, in one parallel region.
  ///
  /// - Parameters:
  ///   - inputs: One vector a row.
  ///   - stack: Matrices of `inputs.columns` columns.
  ///   - arithmetic: How exactly products with integer codes are computed.
  /// - Returns: A row for each input: the products with the first matrix's rows, then the second's ...
  /// - Precondition: the columns agree.
  public func products(
    of inputs: Matrix, with stack: [LayerWeights], _ arithmetic: Arithmetic = .exact
  ) -> Matrix {
    products(of: inputs, with: stack.map { LayerPart($0) }, arithmetic)
  }

  /// Products of vectors with parts of matrices, in one parallel region.
  ///
  /// - Parameters:
  ///   - inputs: One vector a row.
  ///   - parts: Rows of matrices of `inputs.columns` columns, which are not copied.
  ///   - arithmetic: How exactly products with integer codes are computed.
  /// - Returns: A row for each input: the products with the first part's rows, then the second's ...
  /// - Precondition: the columns agree.
  public func products(
    of inputs: Matrix, with parts: [LayerPart], _ arithmetic: Arithmetic = .exact
  ) -> Matrix {
    precondition(parts.allSatisfy { $0.columns == inputs.columns }, "columns do not agree")
    let outputColumns = parts.reduce(0) { $0 + $1.rows.count }
    let pieces = parts.pieces
    let count = inputs.rows * outputColumns
    let values = [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
      inputs.values.withUnsafeBufferPointer { source in
        guard count > 0, let x = source.baseAddress, let y = buffer.baseAddress else { return }
        let prepared = PreparedInputs(
          x, count: inputs.rows, columns: inputs.columns, for: pieces, arithmetic, on: self)
        pieces.withOperands(prepared) { operands in
          let hasStrips =
            inputs.rows >= StackedProduct.leastForStrips
            && operands.contains { !$0.operand.isInteger }
          let left =
            hasStrips ? PackedLeft(x, count: inputs.rows, columns: inputs.columns, on: self) : nil
          let product = StackedProduct(
            x: x, left: left?.panels, y: y, count: inputs.rows, columns: inputs.columns,
            outputColumns: outputColumns, operands: operands)
          product.run(on: self)
          withExtendedLifetime(left) {}
        }
        withExtendedLifetime((prepared, pieces)) {}
      }
      initialized = count
    }
    return Matrix(rows: inputs.rows, columns: outputColumns, values: values)
  }
}

/// One call's work, and how it is cut into parts.
struct StackedProduct: @unchecked Sendable {
  // Unchecked: parts read what x points at, and write disjoint columns of y.
  let x: UnsafePointer<Float>
  /// The same packed, where strips of decoded rows multiply.
  let left: UnsafePointer<Float>?
  let y: UnsafeMutablePointer<Float>
  /// Input vectors.
  let count: Int
  let columns: Int
  let outputColumns: Int
  let operands: [OperandRows]

  /// From this many vectors on, decoding a strip of rows and products of matrices beat products row by row.
  static let leastForStrips = 6
  /// Rows of a unit of work: for few vectors and for integers, and of a strip, which is whole panels.
  private static let rowsAUnit = 16
  private static let rowsAStrip = 32
  /// The same for so many vectors that reading them again for each strip takes time.
  private static let rowsALargeStrip = 96
  private static let manyVectors = 64
  /// Weights below which a part is not worth handing to another thread.
  private static let weightsAPart = 24_576

  private var stripRows: Int {
    count < Self.manyVectors ? Self.rowsAStrip : Self.rowsALargeStrip
  }

  func run(on pool: WorkerPool) {
    let units = operands.reduce(0) { $0 + unitCount(of: $1) }
    let least = count < Self.leastForStrips ? Self.weightsAPart / (Self.rowsAUnit * columns) + 1 : 1
    let starts = Self.starts(ofParts: units, least: least, threads: pool.threadCount)
    pool.run(count: starts.count - 1) { parts in
      for part in parts { multiply(units: starts[part]..<starts[part + 1]) }
    }
  }

  /// Where parts begin, and the end of the last: each thread's first is long, since memory is read fastest in one stream, and
  /// later ones are ever shorter, so that all threads end at about the same time.
  private static func starts(ofParts units: Int, least: Int, threads: Int) -> [Int] {
    var starts = [0]
    var start = 0
    while start < units {
      start += min(max((units - start) / (2 * threads), least), units - start)
      starts.append(start)
    }
    return starts
  }

  private func isStrips(_ operand: Operand) -> Bool { left != nil && !operand.isInteger }

  private func unitRows(of operand: Operand) -> Int {
    isStrips(operand) ? stripRows : Self.rowsAUnit
  }

  private func unitCount(of part: OperandRows) -> Int {
    let rows = unitRows(of: part.operand)
    return (part.rows.count + rows - 1) / rows
  }

  /// Multiplies a range of units, which may lie in several matrices.
  private func multiply(units wanted: Range<Int>) {
    var firstUnit = 0
    var column = 0
    for part in operands {
      let rows = part.rows.count
      let unitRows = unitRows(of: part.operand)
      let endUnit = firstUnit + unitCount(of: part)
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
    if let left, isStrips(operand) {
      multiplyStrips(operand, rows: rows, by: left, into: output)
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
    ThreadScratch.withFloats(Self.rowsAUnit * columns) { decoded in
      for begin in stride(from: rows.lowerBound, to: rows.upperBound, by: Self.rowsAUnit) {
        let part = begin..<min(begin + Self.rowsAUnit, rows.upperBound)
        operand.decode(rows: part, into: decoded)
        var view = vk_rows()
        view.elements = UnsafePointer(
          UnsafeRawPointer(decoded).assumingMemoryBound(to: UInt8.self))
        view.columns = columns
        view.type = VK_F32
        vk_rows_times(
          Kernels.level, &view, 0, part.count, x, columns, count,
          output + (begin - rows.lowerBound), outputColumns)
      }
    }
  }

  private func multiplyStrips(
    _ operand: Operand, rows: Range<Int>, by left: UnsafePointer<Float>,
    into output: UnsafeMutablePointer<Float>
  ) {
    let (level, panel) = (Kernels.level, vk_panel_rows(Kernels.level, VK_RIGHT))
    let packedCount = vk_packed_floats(level, VK_RIGHT, stripRows, columns)
    ThreadScratch.withFloats(packedCount + panel * columns) { packed in
      for begin in stride(from: rows.lowerBound, to: rows.upperBound, by: stripRows) {
        let strip = begin..<min(begin + stripRows, rows.upperBound)
        pack(operand, rows: strip, into: packed, by: packed + packedCount)
        vk_gemm(
          level, left, count, packed, strip.count, columns, 0, output + (begin - rows.lowerBound),
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
      var factor = vk_factor(decoded, rows: part.count, columns: columns, stride: columns)
      vk_pack_factor(
        Kernels.level, VK_RIGHT, &factor, packed + (begin - rows.lowerBound) * columns)
    }
  }
}
