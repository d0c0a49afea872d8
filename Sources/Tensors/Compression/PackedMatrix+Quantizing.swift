import CKernels

extension PackedMatrix {
  /// Rounds a matrix to nearest, group by group, with compressed-tensors' arithmetic in F32.
  ///
  /// A symmetric scale is absmax / ((2^bits - 1) / 2); an asymmetric range includes 0 and has an
  /// integer zero point. Scales are rounded to the type they are stored in before codes are chosen;
  /// one that would round to zero becomes the type's epsilon, one too large the largest finite value.
  ///
  /// - Parameters:
  ///   - matrix: finite weights.
  ///   - bits: 2 to 8.
  ///   - groupSize: consecutive weights of a row that share a scale; divides the columns.
  ///   - isSymmetric: whether codes have their zero in the middle of their range.
  ///   - searchesRange: whether ranges are scaled, in steps of 1 % from 105 % down to a fifth, to
  ///     where the group's squared error is least.
  ///   - scaleType: F16 or BF16.
  public init(
    quantizing matrix: Matrix, bits: Int, groupSize: Int, isSymmetric: Bool, searchesRange: Bool,
    scaleType: ElementType
  ) {
    precondition((2...8).contains(bits) && groupSize > 0 && matrix.columns % groupSize == 0)
    precondition(scaleType == .float16 || scaleType == .bfloat16)
    let groups = matrix.columns / groupSize
    var settings = vk_quantizer(
      bits: UInt32(bits), is_symmetric: isSymmetric ? 1 : 0,
      searches_range: searchesRange ? 1 : 0, scales_are_bfloat: scaleType == .bfloat16 ? 1 : 0)
    var codes = [UInt8](repeating: 0, count: matrix.values.count)
    var scales = [UInt16](repeating: 0, count: matrix.rows * groups)
    var points = [UInt8](repeating: 0, count: matrix.rows * groups)
    matrix.values.withUnsafeBufferPointer { weights in
      codes.withUnsafeMutableBufferPointer { codes in
        scales.withUnsafeMutableBufferPointer { scales in
          points.withUnsafeMutableBufferPointer { points in
            guard let weights = weights.baseAddress, let codes = codes.baseAddress,
              let scales = scales.baseAddress, let points = points.baseAddress
            else { return }
            for row in 0..<matrix.rows {
              let (weight, group) = (row * matrix.columns, row * groups)
              vk_quantize_row(
                Kernels.level, &settings, weights + weight, groups, groupSize, codes + weight,
                scales + group,
                points + group)
            }
          }
        }
      }
    }
    self.init(
      rows: matrix.rows, columns: matrix.columns, bits: bits, groupSize: groupSize,
      codes: Self.pack(codes: codes, rows: matrix.rows, columns: matrix.columns, bits: bits),
      scales: scales, scaleType: scaleType, zeros: isSymmetric ? .symmetric : .points(points))
  }
}
