import Tensors

/// Rows of weights as they are decoded, rounded to the type that they are kept in.
struct DecodedRows: Sendable {
  private let rows: Int
  private let columns: Int
  private let type: ElementType
  private var halves: [UInt16] = []
  private var bytes: [UInt8] = []

  /// Room for a matrix of F32, F16 or BF16.
  init(rows: Int, columns: Int, type: ElementType) {
    (self.rows, self.columns, self.type) = (rows, columns, type)
    if type.isHalf { halves.reserveCapacity(rows * columns) }
  }

  mutating func append(_ row: [Float]) {
    if type.isHalf { halves += type.rounded(row) } else { bytes += row.littleEndianBytes }
  }

  /// The layer, once all its rows were appended.
  var layer: LayerWeights {
    guard type.isHalf else {
      return .stored(StoredMatrix(copying: bytes, type: type, rows: rows, columns: columns))
    }
    return .dense(bits: halves, type: type, rows: rows, columns: columns)
  }
}
