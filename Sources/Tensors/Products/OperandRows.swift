/// The rows of an operand that multiply.
struct OperandRows {
  let operand: Operand
  let rows: Range<Int>
}

extension [LayerPart] {
  /// Calls `body` with the parts as operands, in order.
  ///
  /// - Parameters:
  ///   - inputs: What the operands multiply with; nil where they are only decoded.
  ///   - body: Is called once.
  /// - Precondition: no part is one of a stack.
  func withOperands(_ inputs: PreparedInputs?, _ body: ([OperandRows]) -> Void) {
    var operands: [OperandRows] = []
    operands.reserveCapacity(count)
    Self.withOperands(of: self[...], after: &operands, inputs, body)
  }

  private static func withOperands(
    of parts: ArraySlice<LayerPart>, after operands: inout [OperandRows], _ inputs: PreparedInputs?,
    _ body: ([OperandRows]) -> Void
  ) {
    guard let part = parts.first else { return body(operands) }
    func next(_ operand: Operand) {
      operands.append(OperandRows(operand: operand, rows: part.rows))
      withOperands(of: parts.dropFirst(), after: &operands, inputs, body)
    }
    if let tiles = part.weights.tiles, let prepared = inputs?.tiles(groupSize: tiles.groupSize) {
      return next(.tiles(tiles.view, inputs: prepared.view))
    }
    switch part.weights {
    case .packed(let matrix):
      if case .tiles(let tiles) = matrix.form { return next(.tiles(tiles.view, inputs: nil)) }
      guard let prepared = inputs?.packed(groupSize: matrix.groupSize) else {
        return matrix.withKernelView { next(.packed($0, sums: nil)) }
      }
      prepared.sums.withUnsafeBufferPointer { sums in
        matrix.withKernelView { next(.packed($0, sums: sums.baseAddress)) }
      }
    case .floats(let matrix): next(.floats(matrix))
    case .stored(let matrix) where matrix.type.isQuantized: next(.blocks(matrix))
    case .stored(let matrix): matrix.withKernelView { next(.rows($0)) }
    case .stack: preconditionFailure("stacks multiply as their pieces")
    }
  }
}
