import Tensors

/// A layer that MLX quantized, or a stack of experts of such.
///
/// Codes are little-endian streams of bits, row after row, in 32-bit words; each group of a row has a scale and, if codes are
/// integers, a bias.
struct MLXLayer: StoredLayer {
  let name: String
  let rows: Int
  let columns: Int
  let type: ElementType
  let parts: LayerParts
  private let arguments: MLXFormat.Arguments

  /// Finds the tensors of a layer and checks their types and shapes.
  init(
    _ name: String, _ arguments: MLXFormat.Arguments, shape: [Int]?, in table: TensorTable
  ) throws(CheckpointError) {
    self.name = name
    self.arguments = arguments
    parts = LayerParts(of: name, ["weight", "scales", "biases"], in: table)
    let codes = try parts.required("weight", ["U32"])
    let isAffine = arguments.mode == .affine
    let scales = try parts.required("scales", isAffine ? ["F16", "BF16", "F32"] : ["U8"])
    type = isAffine ? scales.type ?? .bfloat16 : .bfloat16
    let words = codes.shape.last ?? 1
    columns = (scales.shape.last ?? 1) * arguments.groupSize
    rows = codes.shape.dropLast().reduce(1, *)
    guard columns * arguments.bits == words * 32, scales.shape.dropLast() == codes.shape.dropLast()
    else {
      throw parts.error(
        "weight",
        "is \(codes.shape) with scales of \(scales.shape), which are not codes of "
          + "\(arguments.bits) bits in groups of \(arguments.groupSize)",
        hint: "check that quantization in config.json belongs to these weights")
    }
    try parts.check("weight", rows: rows, columns: columns, against: shape)
    guard !isAffine else {
      try parts.check("biases", scales.typeName, scales.shape)
      return
    }
    let (bits, size) =
      switch arguments.mode {
      case .nvfp4: (4, 16)
      case .mxfp8: (8, 32)
      default: (4, 32)
      }
    guard arguments.bits == bits, arguments.groupSize == size else {
      throw parts.error(
        "scales",
        "are for \(arguments.mode.rawValue) of \(arguments.bits) bits in groups of "
          + "\(arguments.groupSize), which there is not")
    }
  }

  var scheme: WeightFormat {
    switch arguments.mode {
    case .affine:
      .integer(bits: arguments.bits, sharing: .group(arguments.groupSize), isSymmetric: false)
    case .mxfp4: .mxfp4
    case .nvfp4: .nvfp4
    case .mxfp8: .mxfp8
    }
  }

  /// Integers are decoded: their biases are no multiples of their scales.
  var heldFormat: WeightFormat? { heldFloats.map { WeightFormat($0) } }

  private var heldFloats: FloatFormat? {
    switch arguments.mode {
    case .mxfp4: .mxfp4
    case .nvfp4: .nvfp4
    case .affine, .mxfp8: nil
    }
  }

  func weights() -> LayerWeights {
    if let heldFloats {
      return .floats(
        FloatMatrix(
          rows: rows, columns: columns, format: heldFloats,
          codes: parts.elements(of: "weight", as: UInt8.self),
          scales: parts.elements(of: "scales", as: UInt8.self).map { UInt16($0) }, type: type))
    }
    return arguments.mode == .mxfp8 ? decodedFloats() : decodedIntegers()
  }
}

extension MLXLayer {
  /// The weights as MLX computes them: products and sums each rounded to ``type``.
  private func decodedIntegers() -> LayerWeights {
    let codes = PackedMatrix.unpack(
      words: parts.elements(of: "weight", as: UInt32.self), rows: rows, columns: columns,
      bits: arguments.bits)
    let (scales, biases) = (parts.numbers(of: "scales"), parts.numbers(of: "biases"))
    let groups = columns / arguments.groupSize
    var decoded = DecodedRows(rows: rows, columns: columns, type: type)
    var row = [Float](repeating: 0, count: columns)
    for index in 0..<rows {
      let codes = codes[index * columns..<(index + 1) * columns]
      for (column, code) in codes.enumerated() {
        row[column] = Float(code) * scales[index * groups + column / arguments.groupSize]
      }
      if type.isHalf { row = type.widened(type.rounded(row)) }
      for column in 0..<columns {
        row[column] += biases[index * groups + column / arguments.groupSize]
      }
      decoded.append(row)
    }
    return decoded.layer
  }

  /// Codes of 8 bits times powers of two.
  private func decodedFloats() -> LayerWeights {
    let codes = parts.elements(of: "weight", as: UInt8.self)
    let scales = parts.elements(of: "scales", as: UInt8.self).map(FloatCodes.powerOfTwo)
    let values = FloatCodes.e4m3
    let groups = columns / arguments.groupSize
    var decoded = DecodedRows(rows: rows, columns: columns, type: type)
    for index in 0..<rows {
      let codes = codes[index * columns..<(index + 1) * columns]
      decoded.append(
        codes.enumerated().map { column, code in
          values[Int(code)] * scales[index * groups + column / arguments.groupSize]
        })
    }
    return decoded.layer
  }
}
