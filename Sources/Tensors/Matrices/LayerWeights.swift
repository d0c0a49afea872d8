/// What a layer's slot holds, and multiplies with as it is.
public enum LayerWeights: Sendable {
  /// As a file or a buffer stores it.
  case stored(StoredMatrix)
  /// Codes, scales and zero points: those an export writes.
  case packed(PackedMatrix)
  /// Floats of 8 or 4 bits and their scales.
  case floats(FloatMatrix)
  /// Matrices of equally many columns, one below the other: a layer of experts that a checkpoint holds apart.
  ///
  /// There is at least one; rows count on from each to the next.
  case stack([LayerWeights])

  /// Output channels.
  public var rows: Int {
    switch self {
    case .stored(let matrix): matrix.rows
    case .packed(let matrix): matrix.rows
    case .floats(let matrix): matrix.rows
    case .stack(let members): members.reduce(0) { $0 + $1.rows }
    }
  }

  /// Input channels.
  public var columns: Int {
    switch self {
    case .stored(let matrix): matrix.columns
    case .packed(let matrix): matrix.columns
    case .floats(let matrix): matrix.columns
    case .stack(let members): members.first?.columns ?? 0
    }
  }

  /// Bytes that hold the weights: in memory, or mapped from a file.
  public var byteCount: Int {
    switch self {
    case .stored(let matrix): matrix.byteCount
    case .packed(let matrix): matrix.byteCount
    case .floats(let matrix): matrix.byteCount
    case .stack(let members): members.reduce(0) { $0 + $1.byteCount }
    }
  }

  /// The type of the weights; of codes that in which compressed-tensors decodes them; F32 of a stack whose matrices differ.
  public var type: ElementType {
    switch self {
    case .stored(let matrix): matrix.type
    case .packed(let matrix): matrix.scaleType
    case .floats(let matrix): matrix.type
    case .stack(let members): members.commonType
    }
  }

  /// Whether weights are held as codes and scales rather than as numbers.
  public var holdsCodes: Bool {
    switch self {
    case .stored(let matrix): matrix.type.isQuantized
    case .packed, .floats: true
    case .stack(let members): members.allSatisfy(\.holdsCodes)
    }
  }

  /// The codes in the form in which they multiply; nil unless they are held so.
  var tiles: Tiles? {
    switch self {
    case .packed(let matrix): if case .tiles(let tiles) = matrix.form { tiles } else { nil }
    case .stored(let matrix): matrix.tiles
    case .floats, .stack: nil
    }
  }

  /// The rows of `range`, decoded.
  ///
  /// - Precondition: `range` lies within `0..<rows`.
  public func decoded(rows range: Range<Int>) -> Matrix {
    switch self {
    case .stored(let matrix): matrix.decoded(rows: range)
    case .packed(let matrix): matrix.decoded(rows: range)
    case .floats(let matrix): matrix.decoded(rows: range)
    case .stack: LayerPart(self, rows: range).decoded()
    }
  }

  /// The given rows in the given order, decoded.
  ///
  /// - Precondition: every index lies within `0..<rows`.
  public func decoded(rows indices: [Int]) -> Matrix {
    switch self {
    case .stored(let matrix): matrix.decoded(rows: indices)
    case .packed(let matrix): matrix.decoded(rows: indices)
    case .floats(let matrix): matrix.decoded(rows: indices)
    case .stack(let members): members.decoded(rows: indices)
    }
  }

  /// The whole matrix, decoded: `rows * columns * 4` bytes of memory.
  public func decoded() -> Matrix {
    decoded(rows: 0..<rows)
  }

  /// Lets go of memory that holds weights of a mapped file; they are read again when touched.
  public func releasePages() {
    switch self {
    case .stored(let matrix):
      matrix.storage.releasePages(in: matrix.offset..<matrix.offset + matrix.byteCount)
    case .stack(let members): for member in members { member.releasePages() }
    case .packed, .floats: break
    }
  }

  /// A copy in memory of some rows and columns, in the given order.
  ///
  /// Whole rows of codes keep their codes; columns of them are decoded and rounded to their 16-bit type.
  /// Others are as in ``StoredMatrix/selecting(rows:columns:)``.
  /// - Parameters:
  ///   - rows: Rows of the layer; nil takes all.
  ///   - columns: Columns of the layer; nil takes all.
  /// - Returns: Weights of their own, in plain row order.
  /// - Precondition: there are some of each, all within the matrix.
  public func selecting(rows: [Int]?, columns: [Int]?) -> LayerWeights {
    switch self {
    case .stored(let matrix): return .stored(matrix.selecting(rows: rows, columns: columns))
    case .floats(let matrix): return matrix.selecting(rows: rows, columns: columns)
    case .stack(let members): return members.selecting(rows: rows, columns: columns)
    case .packed(let matrix):
      let rows = rows ?? Array(0..<matrix.rows)
      guard let columns else { return .packed(matrix.selecting(rows: rows)) }
      let kept = rows.flatMap { row in
        let values = matrix.decoded(rows: [row]).values
        return columns.map { values[$0] }
      }
      return .dense(
        bits: matrix.scaleType.rounded(kept), type: matrix.scaleType, rows: rows.count,
        columns: columns.count)
    }
  }

  /// Dense 16-bit weights in memory of their own, for example a pruned layer's.
  ///
  /// - Precondition: `bits.count == rows * columns`; `type` is F16 or BF16; both counts are positive.
  public static func dense(
    bits: [UInt16], type: ElementType, rows: Int, columns: Int
  ) -> LayerWeights {
    precondition(bits.count == rows * columns, "a matrix holds rows * columns values")
    precondition(type == .float16 || type == .bfloat16, "dense weights are 16 bits wide")
    let bytes = bits.withUnsafeBytes { Array($0) }
    return .stored(StoredMatrix(copying: bytes, type: type, rows: rows, columns: columns))
  }
}
