import CKernels

extension WorkerPool {
  /// The gradient at the inputs of stacked matrices, given that at their outputs: the sum of G_k W_k.
  ///
  /// - Parameters:
  ///   - gradients: A row for each vector; the columns of ``products(of:with:)``.
  ///   - stack: Matrices of equally many columns.
  /// - Returns: A row for each vector, the same whatever the number of threads.
  /// - Precondition: the stack is not empty, and the shapes agree.
  public func transposedProducts(of gradients: Matrix, with stack: [LayerWeights]) -> Matrix {
    transposedProducts(of: gradients, with: stack.map { LayerPart($0) })
  }

  /// The gradient at the inputs of parts of matrices, given that at their outputs.
  ///
  /// - Parameters:
  ///   - gradients: A row for each vector; the columns of their products.
  ///   - parts: Rows of matrices of equally many columns, which are not copied.
  /// - Returns: A row for each vector, the same whatever the number of threads.
  /// - Precondition: there are parts, and the shapes agree.
  public func transposedProducts(of gradients: Matrix, with parts: [LayerPart]) -> Matrix {
    let columns = parts.first?.columns ?? 0
    precondition(columns > 0 && parts.allSatisfy { $0.columns == columns }, "columns do not agree")
    let outputs = parts.reduce(0) { $0 + $1.rows.count }
    precondition(outputs == gradients.columns, "a gradient for each output")
    let slices = TransposedProduct.slices(of: gradients)
    let count = gradients.rows * columns
    var sums = [Float](repeating: 0, count: slices * count)
    sums.withUnsafeMutableBufferPointer { buffer in
      gradients.values.withUnsafeBufferPointer { source in
        guard let sums = buffer.baseAddress, let gradient = source.baseAddress else { return }
        parts.pieces.withOperands(nil) { operands in
          let product = TransposedProduct(
            gradients: gradient, sums: sums, count: gradients.rows, columns: columns,
            outputs: outputs, slices: slices, operands: operands)
          product.run(on: self)
        }
        for slice in 1..<max(slices, 1) {
          vk_add(Kernels.level, sums + slice * count, count, sums)
        }
      }
    }
    sums.removeLast(sums.count - count)
    return Matrix(rows: gradients.rows, columns: columns, values: sums)
  }
}

/// One call's work: slices of all weight rows times blocks of vectors, each item with sums of its own.
private struct TransposedProduct: @unchecked Sendable {
  // Unchecked: items read what is shared, and write disjoint parts of the sums.
  let gradients: UnsafePointer<Float>
  /// Slices x count x columns, zero at first.
  let sums: UnsafeMutablePointer<Float>
  /// Vectors.
  let count: Int
  let columns: Int
  /// Rows of all matrices.
  let outputs: Int
  let slices: Int
  let operands: [OperandRows]

  /// Vectors of a block: decoding a tile of weights for them is a twentieth of multiplying it.
  private static let vectorsABlock = 128
  private static let rowsATile = 64
  /// Items that threads find enough work in.
  private static let leastItems = 8

  private static func blocks(of count: Int) -> Int { (count + vectorsABlock - 1) / vectorsABlock }

  /// Into how many parts the weight rows are cut: few vectors leave no other way to share the work.
  static func slices(of gradients: Matrix) -> Int {
    max(1, leastItems / max(blocks(of: gradients.rows), 1))
  }

  func run(on pool: WorkerPool) {
    let blocks = Self.blocks(of: count)
    pool.run(count: slices * blocks) { items in
      for item in items {
        let (slice, block) = item.quotientAndRemainder(dividingBy: blocks)
        let first = block * Self.vectorsABlock
        let vectors = first..<min(first + Self.vectorsABlock, count)
        let rows = slice * outputs / slices..<(slice + 1) * outputs / slices
        multiply(vectors, rows, into: sums + slice * count * columns)
      }
    }
  }

  /// Adds the products of some vectors with some rows, which may lie in several matrices.
  private func multiply(
    _ vectors: Range<Int>, _ rows: Range<Int>, into sums: UnsafeMutablePointer<Float>
  ) {
    ThreadScratch.withFloats(Self.rowsATile * columns) { decoded in
      var firstRow = 0
      for operand in operands {
        let count = operand.rows.count
        let part = rows.clamped(to: firstRow..<firstRow + count)
        // The operand's own number of the first product's row.
        let shift = operand.rows.lowerBound - firstRow
        for begin in stride(from: part.lowerBound, to: part.upperBound, by: Self.rowsATile) {
          let end = min(begin + Self.rowsATile, part.upperBound)
          operand.operand.decode(rows: begin + shift..<end + shift, into: decoded)
          MatrixProduct.multiply(
            vk_factor(
              gradients + vectors.lowerBound * outputs + begin, rows: vectors.count,
              columns: end - begin, stride: outputs),
            vk_factor(decoded, rows: end - begin, columns: columns, stride: columns).transposed,
            adds: true, into: sums + vectors.lowerBound * columns, stride: columns)
        }
        firstRow += count
      }
    }
  }
}
