/// The rows of an operand that multiply.
struct OperandRows {
  let operand: Operand
  let rows: Range<Int>
}

extension [LayerPart] {
  /// Calls `body` with the parts as operands, in order.
  ///
  /// - Precondition: no part is one of a stack.
  func withOperands(inputs: [PackedInputs], _ body: ([OperandRows]) -> Void) {
    var operands: [OperandRows] = []
    operands.reserveCapacity(count)
    Self.withOperands(of: self[...], after: &operands, inputs: inputs, body)
  }

  private static func withOperands(
    of parts: ArraySlice<LayerPart>, after operands: inout [OperandRows], inputs: [PackedInputs],
    _ body: ([OperandRows]) -> Void
  ) {
    guard let part = parts.first else { return body(operands) }
    func next(_ operand: Operand) {
      operands.append(OperandRows(operand: operand, rows: part.rows))
      withOperands(of: parts.dropFirst(), after: &operands, inputs: inputs, body)
    }
    switch part.weights {
    case .packed(let matrix):
      let prepared = inputs.first { $0.groupSize == matrix.groupSize }
      matrix.withKernelView { next(.packed($0, inputs: prepared?.inputs)) }
    case .floats(let matrix): next(.floats(matrix))
    case .stored(let matrix) where matrix.type.isQuantized: next(.blocks(matrix))
    case .stored(let matrix): matrix.withKernelView { next(.rows($0)) }
    case .stack: preconditionFailure("stacks multiply as their pieces")
    }
  }
}
