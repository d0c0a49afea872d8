/// Where a group's codes have their zero.
public enum ZeroPoints: Hashable, Sendable {
  /// At the middle of the range, `2^(bits - 1)`: weight = (code - 2^(bits - 1)) * scale.
  case symmetric
  /// At a code of each group's own, rows x groups: weight = (code - zero) * scale.
  case points([UInt8])
  /// Nowhere: each group has an F16 minimum, rows x groups: weight = code * scale + minimum.
  case minimums([UInt16])
}

/// A weight matrix as it is stored compressed and as it multiplies: codes, scales, zero points.
///
/// Codes are unsigned, `bits` wide, packed row by row into a little-endian bitstream that starts at
/// a 32-bit word: code i of a row lies in the row's bits [i * bits, (i + 1) * bits). This is the
/// dense layout of compressed-tensors 0.19.
public struct PackedMatrix: Hashable, Sendable {
  public let rows: Int
  public let columns: Int
  /// Bits a code: 2 to 8.
  public let bits: Int
  /// Consecutive weights of a row that share a scale; divides `columns`.
  public let groupSize: Int
  /// rows x ``wordsPerRow`` words.
  public let codes: [UInt32]
  /// rows x ``groupsPerRow`` scales as bits of `scaleType`.
  public let scales: [UInt16]
  /// F16 or BF16.
  public let scaleType: ElementType
  public let zeros: ZeroPoints

  /// 32-bit words that hold one row's codes.
  public var wordsPerRow: Int { (columns * bits + 31) / 32 }
  /// Scales in one row.
  public var groupsPerRow: Int { columns / groupSize }

  /// A packed matrix of the given parts.
  ///
  /// - Precondition: the parts have the counts that rows, columns, bits and group size imply.
  public init(
    rows: Int, columns: Int, bits: Int, groupSize: Int, codes: [UInt32], scales: [UInt16],
    scaleType: ElementType, zeros: ZeroPoints
  ) {
    precondition((1...8).contains(bits) && groupSize > 0 && columns % groupSize == 0)
    precondition(scaleType == .float16 || scaleType == .bfloat16)
    precondition(codes.count == rows * ((columns * bits + 31) / 32))
    let groups = rows * (columns / groupSize)
    precondition(scales.count == groups)
    switch zeros {
    case .symmetric: break
    case .points(let points): precondition(points.count == groups)
    case .minimums(let minimums): precondition(minimums.count == groups)
    }
    self.rows = rows
    self.columns = columns
    self.bits = bits
    self.groupSize = groupSize
    self.codes = codes
    self.scales = scales
    self.scaleType = scaleType
    self.zeros = zeros
  }

  /// The given rows in the given order, with their codes, scales and zero points.
  ///
  /// - Precondition: every index lies within `0..<rows`.
  public func selecting(rows indices: [Int]) -> PackedMatrix {
    let kept: ZeroPoints =
      switch zeros {
      case .symmetric: .symmetric
      case .points(let points): .points(Self.rows(indices, of: points, width: groupsPerRow))
      case .minimums(let minimums):
        .minimums(Self.rows(indices, of: minimums, width: groupsPerRow))
      }
    return PackedMatrix(
      rows: indices.count, columns: columns, bits: bits, groupSize: groupSize,
      codes: Self.rows(indices, of: codes, width: wordsPerRow),
      scales: Self.rows(indices, of: scales, width: groupsPerRow), scaleType: scaleType,
      zeros: kept)
  }

  private static func rows<Element>(
    _ indices: [Int], of values: [Element], width: Int
  ) -> [Element] {
    indices.flatMap { values[$0 * width..<($0 + 1) * width] }
  }
}
