import Tensors

/// A layer of NF4 or FP4: 4-bit codes of a table of sixteen values, and a magnitude for each block of consecutive weights.
///
/// Blocks run on from row to row; the first of two codes is in the upper half of a byte. Magnitudes may be codes of 8 bits
/// themselves, with a table, magnitudes and an offset of their own.
struct BlockCodesLayer: StoredLayer {
  let name: String
  let rows: Int
  let columns: Int
  let type: ElementType
  let scheme: WeightFormat
  let parts: LayerParts
  private let state: BlockCodesState
  /// No other format that Vise holds has such codes.
  let heldFormat: WeightFormat? = nil

  private static let partNames = [
    "absmax", "quant_map", "nested_absmax", "nested_quant_map", "quant_state.bitsandbytes__nf4",
    "quant_state.bitsandbytes__fp4",
  ]

  /// Finds the tensors of a layer and checks their types and shapes.
  init(_ name: String, shape: [Int]?, in table: TensorTable) throws(CheckpointError) {
    self.name = name
    let names = Self.partNames.map { ($0, "\(name).weight.\($0)") }
    parts = LayerParts(
      of: name, names: Dictionary(uniqueKeysWithValues: names + [("weight", "\(name).weight")]),
      in: table)
    state = try BlockCodesState(parts)
    (rows, columns) = (state.rows, state.columns)
    (type, scheme) = (state.type, state.isNormal ? .nf4 : .fp4)
    try parts.check("weight", rows: rows, columns: columns, against: shape)
    let count = rows * columns
    // The storage type may be any; what counts is that there are two codes a byte.
    guard let codes = parts["weight"], codes.byteCount == (count + 1) / 2 else {
      throw parts.error("weight", "does not hold two of its \(count) codes a byte")
    }
    try parts.check("quant_map", "F32", [16])
    let blocks = (count + state.blockSize - 1) / state.blockSize
    guard let nested = state.nested else {
      try parts.check("absmax", "F32", [blocks])
      return
    }
    try parts.check("absmax", "U8", [blocks])
    try parts.check("nested_quant_map", "F32", [256])
    try parts.check(
      "nested_absmax", "F32", [(blocks + nested.blockSize - 1) / nested.blockSize])
  }

  func weights() -> LayerWeights {
    let codes = parts.elements(of: "weight", as: UInt8.self)
    let (table, magnitudes) = (parts.numbers(of: "quant_map"), magnitudes())
    let size = state.blockSize
    var decoded = DecodedRows(rows: rows, columns: columns, type: type)
    var row = [Float](repeating: 0, count: columns)
    for index in 0..<rows {
      for column in 0..<columns {
        let place = index * columns + column
        let code = place % 2 == 0 ? codes[place / 2] >> 4 : codes[place / 2] & 0xf
        row[column] = table[Int(code)] * magnitudes[place / size]
      }
      decoded.append(row)
    }
    return decoded.layer
  }

  /// The magnitude of each block.
  private func magnitudes() -> [Float] {
    guard let nested = state.nested else { return parts.numbers(of: "absmax") }
    let table = parts.numbers(of: "nested_quant_map")
    let scales = parts.numbers(of: "nested_absmax")
    return parts.elements(of: "absmax", as: UInt8.self).enumerated().map { place, code in
      table[Int(code)] * scales[place / nested.blockSize] + nested.offset
    }
  }
}
