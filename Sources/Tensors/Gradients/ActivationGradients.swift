import CKernels

extension Matrix {
  /// The gradient at the inputs of ``gated(_:)``, given that at its output.
  ///
  /// - Precondition: `output` has as many rows as this matrix and half as many columns.
  public func gatedGradient(_ activation: Activation, output: Matrix) -> Matrix {
    let half = columns / 2
    precondition(output.rows == rows && output.columns * 2 == columns, "a gate for each value")
    return mapRows(with: output) { x, gradient, y in
      vk_gate_gradient(
        Kernels.level, activation.kernel, x, x + half, gradient, half, y, y + half)
    }
  }

  /// The gradient at the inputs of ``activated(_:)``, given that at its output.
  ///
  /// - Precondition: both have the same shape.
  public func activatedGradient(_ activation: Activation, output: Matrix) -> Matrix {
    precondition(output.rows == rows && output.columns == columns, "the same shape")
    return mapRows(with: output) { x, gradient, y in
      vk_activate_gradient(Kernels.level, activation.kernel, x, gradient, columns, y)
    }
  }

  /// The gradient at the inputs of ``softcap(_:)``, given that at its output.
  ///
  /// This matrix is the output: its values are already capped.
  /// - Precondition: both have the same shape; `cap` is positive.
  public func softcapGradient(output: Matrix, cap: Float) -> Matrix {
    precondition(output.rows == rows && output.columns == columns, "the same shape")
    precondition(cap > 0, "values have a bound")
    var gradient = output
    gradient.values.withUnsafeMutableBufferPointer { buffer in
      vk_softcap_gradient(Kernels.level, values, cap, buffer.count, buffer.baseAddress)
    }
    return gradient
  }

  /// Calls `body` with each row, that of another matrix, and a row of a new matrix of this shape to fill.
  private func mapRows(
    with other: Matrix,
    _ body: (UnsafePointer<Float>, UnsafePointer<Float>, UnsafeMutablePointer<Float>) -> Void
  ) -> Matrix {
    other.values.withUnsafeBufferPointer { buffer in
      var row = buffer.baseAddress
      return mapRows(to: columns) { source, destination in
        guard let start = row else { return }
        body(source, start, destination)
        row = start + other.columns
      }
    }
  }
}
