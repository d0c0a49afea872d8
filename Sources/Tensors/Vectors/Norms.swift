import CKernels

extension Matrix {
  /// Each row x as x / sqrt(mean(x^2) + epsilon) * weight.
  ///
  /// Source: Zhang and Sennrich, Root Mean Square Layer Normalization (2019).
  /// - Precondition: `weight.count == columns`.
  public func rmsNormalized(by weight: [Float], epsilon: Float) -> Matrix {
    precondition(weight.count == columns, "a weight for each column")
    return mapRows(to: columns) { source, destination in
      vk_rms_norm(Kernels.level, source, weight, columns, epsilon, destination)
    }
  }

  /// Normalises parts of each row by themselves, in place: as ``rmsNormalized(by:epsilon:)`` does a whole row.
  ///
  /// With parts of a head's size this is the norm of Qwen 3's queries and keys, with one part that of OLMo 2's.
  /// Source: Henry et al., Query-Key Normalization for Transformers (2020).
  /// - Parameters:
  ///   - part: The columns of the parts, which follow each other; other columns stay.
  ///   - size: Values of a part.
  ///   - weight: One for each value of a part, the same for all parts; nil is none.
  ///   - epsilon: Added to the mean square.
  /// - Precondition: the columns lie within the matrix and are whole parts; `weight` has `size` values.
  public mutating func rmsNormalizeParts(
    columns part: Range<Int>, size: Int, by weight: [Float]?, epsilon: Float
  ) {
    checkParts(part, size, weight)
    let (rows, columns) = (rows, columns)
    values.withUnsafeMutableBufferPointer { buffer in
      guard let x = buffer.baseAddress else { return }
      weight.withPointer { weight in
        for row in 0..<rows {
          vk_rms_norm_parts(
            Kernels.level, weight, part.count / size, size, epsilon,
            x + row * columns + part.lowerBound)
        }
      }
    }
  }

  /// Each row x as (x - mean(x)) / sqrt(variance(x) + epsilon) * weight + bias.
  ///
  /// Source: Ba, Kiros and Hinton, Layer Normalization (2016).
  /// - Parameters:
  ///   - weight: One for each column.
  ///   - bias: One for each column; nil is none.
  ///   - epsilon: Added to the variance.
  /// - Returns: A matrix of the same shape.
  /// - Precondition: there are as many as columns.
  public func layerNormalized(by weight: [Float], bias: [Float]?, epsilon: Float) -> Matrix {
    precondition(weight.count == columns, "a weight for each column")
    precondition(bias.map { $0.count == columns } ?? true, "a bias for each column")
    return bias.withPointer { bias in
      mapRows(to: columns) { source, destination in
        vk_layer_norm(Kernels.level, source, weight, bias, columns, epsilon, destination)
      }
    }
  }

  func checkParts(_ part: Range<Int>, _ size: Int, _ weight: [Float]?) {
    precondition(part.lowerBound >= 0 && part.upperBound <= columns, "columns of the matrix")
    precondition(size > 0 && part.count % size == 0, "whole parts")
    precondition(weight.map { $0.count == size } ?? true, "a weight for each value of a part")
  }
}
