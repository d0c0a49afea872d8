import CKernels

extension Matrix {
  /// Adds the gradient at the inputs of ``rmsNormalized(by:epsilon:)``, given that at its output.
  ///
  /// - Precondition: all three matrices have the same shape, and there is a weight for each column.
  public mutating func addRMSNormGradient(
    at inputs: Matrix, weight: [Float], epsilon: Float, output: Matrix
  ) {
    precondition(weight.count == columns, "a weight for each column")
    let columns = columns
    addRows(at: inputs, output: output) { x, gradient, sums in
      vk_rms_norm_gradient(Kernels.level, x, weight, gradient, columns, epsilon, sums)
    }
  }

  /// Adds the gradient at the inputs of ``layerNormalized(by:bias:epsilon:)``, given that at its output.
  ///
  /// - Precondition: all three matrices have the same shape, and there is a weight for each column.
  public mutating func addLayerNormGradient(
    at inputs: Matrix, weight: [Float], epsilon: Float, output: Matrix
  ) {
    precondition(weight.count == columns, "a weight for each column")
    let columns = columns
    addRows(at: inputs, output: output) { x, gradient, sums in
      vk_layer_norm_gradient(Kernels.level, x, weight, gradient, columns, epsilon, sums)
    }
  }

  /// Turns this gradient at the output of ``rmsNormalizeParts(columns:size:by:epsilon:)`` into that at its input.
  ///
  /// - Parameters:
  ///   - inputs: The matrix before it was normalised; it may have columns of its own after those of the parts.
  ///   - part: The columns of the parts, in both matrices; the gradient at others stays.
  ///   - size: Values of a part.
  ///   - weight: One for each value of a part; nil is none.
  ///   - epsilon: What was added to the mean square.
  /// - Precondition: as many rows; otherwise as there.
  public mutating func rmsNormalizePartsGradient(
    at inputs: Matrix, columns part: Range<Int>, size: Int, by weight: [Float]?, epsilon: Float
  ) {
    checkParts(part, size, weight)
    inputs.checkParts(part, size, weight)
    precondition(inputs.rows == rows, "as many rows")
    let (rows, columns) = (rows, columns)
    values.withUnsafeMutableBufferPointer { buffer in
      inputs.values.withUnsafeBufferPointer { x in
        guard let y = buffer.baseAddress, let x = x.baseAddress else { return }
        weight.withPointer { weight in
          for row in 0..<rows {
            vk_rms_norm_parts_gradient(
              Kernels.level, x + row * inputs.columns + part.lowerBound, weight,
              part.count / size, size, epsilon, y + row * columns + part.lowerBound)
          }
        }
      }
    }
  }

  /// Calls `body` with each row of the inputs, of the gradient at the output, and of this matrix.
  private mutating func addRows(
    at inputs: Matrix, output: Matrix,
    _ body: (UnsafePointer<Float>, UnsafePointer<Float>, UnsafeMutablePointer<Float>) -> Void
  ) {
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
            body(x + start, gradient + start, sums + start)
          }
        }
      }
    }
  }
}
