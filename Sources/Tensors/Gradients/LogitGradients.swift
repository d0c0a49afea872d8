import CKernels

extension WorkerPool {
  /// The gradients of -log p(label) at logits: the probabilities, less one at the label.
  ///
  /// - Parameters:
  ///   - logits: A row for each position.
  ///   - label: Chooses the label of a row, on any thread.
  /// - Returns: Gradients of the logits' shape.
  public func lossGradients(
    at logits: Matrix, label: @Sendable (_ row: Int, Logits) -> Int
  ) -> Matrix {
    let columns = logits.columns
    let values = [Float](unsafeUninitializedCapacity: logits.values.count) {
      buffer, initialized in
      let gradients = GradientRows(start: buffer.baseAddress)
      run(count: logits.rows) { rows in
        for row in rows {
          let scores = Logits(Array(logits.row(row)))
          guard let gradient = gradients.start.map({ $0 + row * columns }) else { return }
          vk_probabilities(
            Kernels.level, scores.values, columns, Float(scores.logSumExp), gradient)
          let label = label(row, scores)
          precondition(label >= 0 && label < columns, "a label of the vocabulary")
          gradient[label] -= 1
        }
      }
      initialized = logits.values.count
    }
    return Matrix(rows: logits.rows, columns: columns, values: values)
  }
}

private struct GradientRows: @unchecked Sendable {
  // Unchecked: each row is written by one thread.
  let start: UnsafeMutablePointer<Float>?
}
