import CKernels

extension Matrix {
  /// Adds the gradient at the inputs of ``rmsNormalized(by:epsilon:)``, given that at its output.
  ///
  /// - Precondition: all three matrices have the same shape, and there is a weight for each column.
  public mutating func addRMSNormGradient(
    at inputs: Matrix, weight: [Float], epsilon: Float, output: Matrix
  ) {
    precondition(weight.count == columns, "a weight for each column")
    precondition(inputs.rows == rows && inputs.columns == columns, "the same shape")
    precondition(output.rows == rows && output.columns == columns, "the same shape")
    let (rows, columns) = (rows, columns)
    values.withUnsafeMutableBufferPointer { sums in
      inputs.values.withUnsafeBufferPointer { x in
        output.values.withUnsafeBufferPointer { gradient in
          guard let sums = sums.baseAddress, let x = x.baseAddress,
            let gradient = gradient.baseAddress
          else { return }
          for start in stride(from: 0, to: rows * columns, by: columns) {
            vk_rms_norm_gradient(
              Kernels.level, x + start, weight, gradient + start, columns, epsilon, sums + start)
          }
        }
      }
    }
  }

  /// The gradient at the inputs of ``gatedSilu()``, given that at its output.
  ///
  /// - Precondition: `output` has as many rows as this matrix and half as many columns.
  public func gatedSiluGradient(output: Matrix) -> Matrix {
    let half = columns / 2
    precondition(output.rows == rows && output.columns * 2 == columns, "a gate for each value")
    let result = [Float](unsafeUninitializedCapacity: values.count) { buffer, initialized in
      values.withUnsafeBufferPointer { x in
        output.values.withUnsafeBufferPointer { gradient in
          guard let x = x.baseAddress, let gradient = gradient.baseAddress,
            let y = buffer.baseAddress
          else { return }
          for row in 0..<rows {
            let start = row * columns
            vk_gated_silu_gradient(
              Kernels.level, x + start, x + start + half, gradient + row * half, half, y + start,
              y + start + half)
          }
        }
      }
      initialized = values.count
    }
    return Matrix(rows: rows, columns: columns, values: result)
  }
}

extension Rotation {
  /// The rotation back: what RoPE does to gradients.
  public var inverse: Rotation { Rotation(cosines: cosines, sines: sines.map { -$0 }) }
}
