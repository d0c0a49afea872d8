import CKernels

/// How the range that a group's codes span is found.
public enum RangeFit: Hashable, Sendable {
  /// From the smallest to the largest weight.
  case extremes
  /// Scaled to where the squared error of the group is least.
  case leastError
}

extension QuantizationGrid {
  /// A grid of integers with compressed-tensors' arithmetic in F32.
  ///
  /// A symmetric scale is absmax / ((2^bits - 1) / 2); an asymmetric range includes 0 and has an
  /// integer zero point. Scales are rounded to the type they are stored in; one that would round to
  /// zero becomes the type's epsilon, one too large the largest finite value. Searched ranges go, in
  /// steps of 1 %, from 105 % down to a fifth.
  ///
  /// - Parameters:
  ///   - matrix: finite weights.
  ///   - bits: 2 to 8.
  ///   - groupSize: consecutive weights of a row that share a scale; divides the columns.
  ///   - isSymmetric: whether codes have their zero in the middle of their range.
  ///   - fit: how ranges are found.
  ///   - importance: what a squared error in each column counts, to a search; nil counts all alike.
  ///   - scaleType: F16 or BF16.
  public init(
    fitting matrix: Matrix, bits: Int, groupSize: Int, isSymmetric: Bool, fit: RangeFit,
    importance: [Float]? = nil, scaleType: ElementType
  ) {
    precondition((2...8).contains(bits) && groupSize > 0 && matrix.columns % groupSize == 0)
    precondition(scaleType == .float16 || scaleType == .bfloat16)
    precondition(importance.map { $0.count == matrix.columns } ?? true, "one weight a column")
    let groups = matrix.columns / groupSize
    var settings = vk_quantizer(
      bits: UInt32(bits), is_symmetric: isSymmetric ? 1 : 0,
      searches_range: fit == .leastError ? 1 : 0, scales_are_bfloat: scaleType == .bfloat16 ? 1 : 0)
    var scales = [UInt16](repeating: 0, count: matrix.rows * groups)
    var points = [UInt8](repeating: 0, count: matrix.rows * groups)
    matrix.values.withUnsafeBufferPointer { weights in
      importance.withPointer { importance in
        scales.withUnsafeMutableBufferPointer { scales in
          points.withUnsafeMutableBufferPointer { points in
            guard let weights = weights.baseAddress, let scales = scales.baseAddress,
              let points = points.baseAddress
            else { return }
            vk_fit_rows(
              Kernels.level, &settings, weights, importance, groups, matrix.rows * groups,
              groupSize, scales, points)
          }
        }
      }
    }
    self.init(
      matrix: matrix, bits: bits, groupSize: groupSize, scales: scales, scaleType: scaleType,
      points: isSymmetric ? nil : points)
  }

  /// A grid of integers with given scales and unsigned zero points; nil points are symmetric.
  init(
    matrix: Matrix, bits: Int, groupSize: Int, scales: [UInt16], scaleType: ElementType,
    points: [UInt8]?
  ) {
    let base = -(1 << (bits - 1))
    self.init(
      matrix: matrix, groupSize: groupSize, levels: base...(-base - 1), base: base,
      scales: scaleType.widened(scales),
      zeros: points.map { $0.map { Float(Int($0) + base) } }
        ?? Array(repeating: 0, count: scales.count),
      minimums: Array(repeating: 0, count: scales.count),
      parts: .integers(bits: bits, scales: scales, type: scaleType, points: points))
  }
}
