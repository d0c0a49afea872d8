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
public struct PackedMatrix: Sendable {
  public let rows: Int
  public let columns: Int
  /// Bits a code: 2 to 8.
  public let bits: Int
  /// Consecutive weights of a row that share a scale; divides `columns`.
  public let groupSize: Int
  /// F16 or BF16.
  public let scaleType: ElementType
  let form: Form

  /// Where codes, scales and zeros are.
  enum Form: Sendable {
    case rows(Rows)
    /// Laid out for products.
    case tiles(Tiles)
  }

  /// Row after row, as exports write them.
  struct Rows: Sendable {
    let codes: [UInt32]
    let scales: [UInt16]
    let zeros: ZeroPoints
  }

  /// rows x ``wordsPerRow`` words; laid out anew when codes are held in tiles.
  public var codes: [UInt32] {
    switch form {
    case .rows(let rows): rows.codes
    case .tiles(let tiles): tiles.packedRows.codes
    }
  }

  /// rows x ``groupsPerRow`` scales as bits of `scaleType`; laid out anew when they are held in tiles.
  public var scales: [UInt16] {
    switch form {
    case .rows(let rows): rows.scales
    case .tiles(let tiles): tiles.packedScales
    }
  }

  /// Where each group's codes have their zero; laid out anew when zeros are held in tiles.
  public var zeros: ZeroPoints {
    switch form {
    case .rows(let rows): rows.zeros
    case .tiles(let tiles): tiles.packedZeros
    }
  }

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
    self.scaleType = scaleType
    form = .rows(Rows(codes: codes, scales: scales, zeros: zeros))
  }

  /// A packed matrix that is held in tiles, which have scales of their own for each group and codes that stand for themselves.
  init(_ tiles: Tiles) {
    let layout = tiles.layout
    precondition(!layout.hasMultiples && layout.table.isEmpty)
    rows = layout.rows
    columns = layout.columns
    bits = layout.bits
    groupSize = layout.groupSize
    scaleType = layout.scaleType
    form = .tiles(tiles)
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

extension PackedMatrix: Hashable {
  public static func == (one: PackedMatrix, other: PackedMatrix) -> Bool {
    one.rows == other.rows && one.columns == other.columns && one.bits == other.bits
      && one.groupSize == other.groupSize && one.scaleType == other.scaleType
      && one.codes == other.codes && one.scales == other.scales && one.zeros == other.zeros
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine([rows, columns, bits, groupSize])
    hasher.combine(scaleType)
  }
}
