import CKernels

/// A weight matrix of floats of 8 or 4 bits with scales: decoded to single precision row by row, on demand.
public struct FloatMatrix: Hashable, Sendable {
  public let rows: Int
  public let columns: Int
  public let format: FloatFormat
  /// Row after row: E4M3 a byte each, E2M1 two in a byte, the even column's in its lower half.
  public let codes: [UInt8]
  /// The scales of each row; rows that share scales repeat them.
  ///
  /// They are bits of ``type`` for FP8, else bytes: E4M3 or E8M0.
  public let scales: [UInt16]
  /// What all scales are divided by; 1 unless the format is NVFP4.
  public let divisor: Float
  /// The 16-bit type of the weights that these stand for: that of FP8's scales; BF16 for codes of 4 bits.
  public let type: ElementType

  /// - Precondition: the format fits the columns, there are as many codes and scales as it has, `type` is F16 or BF16.
  public init(
    rows: Int, columns: Int, format: FloatFormat, codes: [UInt8], scales: [UInt16],
    divisor: Float = 1, type: ElementType
  ) {
    precondition(FloatFormat.fitting(columns: columns).contains(format), "rows of whole groups")
    precondition(codes.count == rows * format.codeBytes(inRowOf: columns), "a code a weight")
    precondition(scales.count == rows * format.groups(inRowOf: columns), "a scale a group")
    precondition(type == .float16 || type == .bfloat16, "weights have 16 bits")
    self.rows = rows
    self.columns = columns
    self.format = format
    self.codes = codes
    self.scales = scales
    self.divisor = divisor
    self.type = type
  }

  /// Bytes of codes, scales and divisor as a checkpoint stores them.
  public var byteCount: Int { codes.count + format.scaleBytes(rows: rows, columns: columns) }

  /// The rows of `range`, decoded.
  ///
  /// - Precondition: `range` lies within `0..<rows`.
  public func decoded(rows range: Range<Int>) -> Matrix { decoded(rows: Array(range)) }

  /// The given rows in the given order, decoded.
  ///
  /// - Precondition: every index lies within `0..<rows`.
  public func decoded(rows indices: [Int]) -> Matrix {
    let values = [Float](unsafeUninitializedCapacity: indices.count * columns) {
      buffer, initialized in
      if let start = buffer.baseAddress {
        for (place, row) in indices.enumerated() {
          decode(row: row, into: start + place * columns)
        }
      }
      initialized = indices.count * columns
    }
    return Matrix(rows: indices.count, columns: columns, values: values)
  }

  func decode(rows range: Range<Int>, into destination: UnsafeMutablePointer<Float>) {
    for (place, row) in range.enumerated() {
      decode(row: row, into: destination + place * columns)
    }
  }

  private func decode(row: Int, into destination: UnsafeMutablePointer<Float>) {
    precondition(row >= 0 && row < rows, "row outside the matrix")
    var view = format.kernelRow(columns: columns, divisor: divisor, type: type)
    codes.withUnsafeBufferPointer { codes in
      scales.withUnsafeBufferPointer { scales in
        guard let codes = codes.baseAddress, let scales = scales.baseAddress else { return }
        vk_decode_floats(
          Kernels.level, &view, codes + row * format.codeBytes(inRowOf: columns),
          scales + row * format.groups(inRowOf: columns), destination)
      }
    }
  }

  /// A copy of some rows and columns, rounded to ``type``, but that whole rows keep their codes if none share scales.
  func selecting(rows: [Int]?, columns: [Int]?) -> LayerWeights {
    let rows = rows ?? Array(0..<self.rows)
    if columns == nil, format.rowsAScale == 1 { return .floats(selecting(rows: rows)) }
    let kept = rows.flatMap { row in
      let values = decoded(rows: [row]).values
      return columns.map { $0.map { values[$0] } } ?? values
    }
    return .dense(
      bits: type.rounded(kept), type: type, rows: rows.count,
      columns: columns?.count ?? self.columns)
  }

  private func selecting(rows: [Int]) -> FloatMatrix {
    let (width, groups) = (format.codeBytes(inRowOf: columns), format.groups(inRowOf: columns))
    return FloatMatrix(
      rows: rows.count, columns: columns, format: format,
      codes: rows.flatMap { codes[$0 * width..<($0 + 1) * width] },
      scales: rows.flatMap { scales[$0 * groups..<($0 + 1) * groups] }, divisor: divisor,
      type: type)
  }
}

extension FloatFormat {
  /// A row of codes as kernels see it.
  func kernelRow(columns: Int, divisor: Float, type: ElementType) -> vk_float_row {
    let kernelFormat =
      switch self {
      case .fp8, .fp8Block: VK_FP8
      case .nvfp4: VK_NVFP4
      case .mxfp4: VK_MXFP4
      }
    return vk_float_row(
      format: kernelFormat, is_bfloat: type == .bfloat16 ? 1 : 0, divisor: divisor,
      columns: columns, group: groupSize ?? columns)
  }
}
