import CKernels

extension QuantizationGrid {
  /// The same scales with zeros found by half-quadratic splitting (HQQ, Badri and Shaji 2023).
  ///
  /// The splitting minimises the errors' norm with p = 0.7, so that outliers decide less than they do
  /// in a squared error. Integer zero points are rounded to nearest, minimums to F16: what a format
  /// cannot store is lost, which for integers is most of the gain.
  ///
  /// - Precondition: the grid has zero points or minimums of its own for every group, and the
  ///   matrix is of its shape.
  public func withHalfQuadraticZeros(for matrix: Matrix) -> QuantizationGrid {
    precondition(matrix.rows == rows && matrix.columns == columns, "another shape than the grid's")
    let found = halfQuadraticZeros(for: matrix)
    switch parts {
    case .integers(let bits, let scales, let type, _):
      let points = found.map { zero in
        UInt8(Int(min(max(zero.rounded(.toNearestOrEven), lowest), highest)) - base)
      }
      return QuantizationGrid(
        matrix: matrix, bits: bits, groupSize: groupSize, scales: scales, scaleType: type,
        points: points)
    case .blocks(let type, let headers):
      let stored = ElementType.float16.rounded(zip(found, scales).map { -$0 * $1 })
      let moved = zip(headers, stored).map { header, minimum in
        vk_block_header(
          scale: header.scale, minimum: minimum, group_scales: header.group_scales,
          group_minimums: header.group_minimums)
      }
      return QuantizationGrid(
        matrix: matrix, groupSize: groupSize, levels: levels, base: base, scales: scales,
        zeros: zeros, minimums: ElementType.float16.widened(stored), parts: .blocks(type, moved))
    case .floats: preconditionFailure("floats have no zero points")
    }
  }

  private var lowest: Float { Float(levels.lowerBound) }
  private var highest: Float { Float(levels.upperBound) }

  /// The zeros as levels, before they are stored.
  func halfQuadraticZeros(for matrix: Matrix) -> [Float] {
    [Float](unsafeUninitializedCapacity: scales.count) { zeros, initialized in
      matrix.values.withUnsafeBufferPointer { weights in
        withKernelRows { row, view in
          guard let weights = weights.baseAddress, let zeros = zeros.baseAddress else { return }
          var view = view
          vk_hqq_row(&view, weights + row * columns, zeros + row * groupsPerRow)
        }
      }
      initialized = scales.count
    }
  }
}
