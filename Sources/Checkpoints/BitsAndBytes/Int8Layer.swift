import Tensors

/// A layer of LLM.int8(): signed bytes, and for each row the magnitude that 127 stands for.
struct Int8Layer: StoredLayer {
  let name: String
  let rows: Int
  let columns: Int
  let type: ElementType
  let parts: LayerParts
  let scheme = WeightFormat.integer(bits: 8, sharing: .channel, isSymmetric: true)
  /// The scales are in single precision, and products round twice.
  let heldFormat: WeightFormat? = nil

  /// Finds the tensors of a layer and checks their types and shapes.
  init(
    _ name: String, weightType: ElementType?, shape: [Int]?, in table: TensorTable
  ) throws(CheckpointError) {
    self.name = name
    type = weightType ?? .float32
    parts = LayerParts(of: name, ["weight", "SCB", "weight_format"], in: table)
    let codes = try parts.required("weight", ["I8"])
    guard codes.shape.count == 2 else {
      throw parts.error("weight", "is \(codes.shape), which is no matrix")
    }
    (rows, columns) = (codes.shape[0], codes.shape[1])
    try parts.check("weight", rows: rows, columns: columns, against: shape)
    try parts.check("SCB", "F32", [rows])
    // Other numbers are the tiles of old GPUs.
    if parts["weight_format"] != nil {
      try parts.check("weight_format", "U8", [])
      guard parts.elements(of: "weight_format", as: UInt8.self) == [0] else {
        throw parts.error(
          "weight_format", "says that rows are in tiles, which are not read",
          hint: "save the model again with a bitsandbytes from 0.45 on")
      }
    }
  }

  /// The weights, as bitsandbytes' `int8_vectorwise_dequant` makes them, rounded to ``type``.
  func weights() -> LayerWeights {
    let codes = parts.elements(of: "weight", as: Int8.self)
    let magnitudes = parts.numbers(of: "SCB")
    let step = Float(7.874015718698502e-3)
    var decoded = DecodedRows(rows: rows, columns: columns, type: type)
    for (row, magnitude) in magnitudes.enumerated() {
      decoded.append(
        codes[row * columns..<(row + 1) * columns].map { Float($0) * magnitude * step })
    }
    return decoded.layer
  }
}
