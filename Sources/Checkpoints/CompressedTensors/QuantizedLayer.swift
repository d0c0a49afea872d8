import Tensors

/// A layer that compressed-tensors quantized: the tensors that make it, found and checked, not yet read.
struct QuantizedLayer: StoredLayer {
  /// Hugging Face name without `.weight`.
  let name: String
  let rows: Int
  let columns: Int
  let format: CodeFormat
  let arguments: QuantizationArguments
  /// Whether codes are packed as a dense stream of bits, and not whole ones only in a word.
  private(set) var isDense = true
  /// By the name that follows the layer's.
  let parts: LayerParts

  /// Finds the tensors of a layer and checks their types and shapes.
  ///
  /// - Throws: ``CheckpointError`` naming the tensor that is missing or does not fit.
  init(
    _ name: String, rows: Int, columns: Int, format: CodeFormat, arguments: QuantizationArguments,
    packsDensely: Bool, in table: TensorTable
  ) throws(CheckpointError) {
    self.name = name
    (self.rows, self.columns) = (rows, columns)
    self.format = format
    self.arguments = arguments
    parts = LayerParts(of: name, Self.partNames, in: table)
    try check()
    isDense = try checkCodes(packsDensely: packsDensely)
    try checkScales()
  }

  /// All that may follow a layer's name; what belongs to activations is counted, but not read.
  static let partNames = [
    "weight", "weight_packed", "weight_scale", "weight_zero_point", "weight_shape",
    "weight_global_scale", "weight_g_idx", "input_scale", "input_zero_point",
    "input_global_scale", "output_scale", "output_zero_point",
  ]

  /// What the format and its arguments come to.
  var scheme: StoredScheme {
    switch format {
    case .nvfp4: .nvfp4
    case .mxfp4: .mxfp4
    case .mxfp8: .mxfp8
    case .dense, .packed, .integers, .naive, .floats:
      arguments.isFloat
        ? .float8(arguments.sharing)
        : .integer(
          bits: arguments.bits, sharing: arguments.sharing, isSymmetric: arguments.isSymmetric)
    }
  }

  /// The type that the weights have for compressed-tensors: that of their scales, BF16 where those are no weights' type.
  var type: ElementType {
    switch format {
    case .nvfp4, .mxfp4, .mxfp8: .bfloat16
    default: parts["weight_scale"]?.type ?? .bfloat16
    }
  }

  /// Reads the layer: as the codes and scales that it is stored as, or decoded to ``type``.
  ///
  /// Decoded are layers whose scales are in single precision, and floats in other groups than Vise's own.
  /// - Throws: ``CheckpointError`` when the stored values contradict the configuration.
  func weights() throws(CheckpointError) -> LayerWeights {
    guard !arguments.isFloat else { return floats().map { .floats($0) } ?? decodedFloats() }
    try checkStoredShape()
    return try integers()
  }

  /// What ``weights()`` reads; nil where it decodes.
  var heldCodes: HeldCodes? {
    if arguments.isFloat { return heldFloats.map(HeldCodes.floats) }
    guard type != .float32 else { return nil }
    return .integers(
      bits: heldBits, groupSize: groupSize, isSymmetric: arguments.isSymmetric)
  }
}

extension QuantizedLayer {
  /// The rows and columns of the rectangles that share a scale.
  var scaleRectangle: (rows: Int, columns: Int) {
    switch arguments.sharing {
    case .tensor: (rows, columns)
    case .channel: (1, columns)
    case .group(let size): (1, size)
    case .block(let rows, let columns): (rows, columns)
    }
  }

  /// How many scales there are, down and across.
  var scaleCounts: (rows: Int, columns: Int) {
    let rectangle = scaleRectangle
    return (
      (rows + rectangle.rows - 1) / rectangle.rows,
      (columns + rectangle.columns - 1) / rectangle.columns
    )
  }
}

// MARK: - Checks

extension QuantizedLayer {
  private func check() throws(CheckpointError) {
    if parts["weight_g_idx"] != nil {
      throw parts.error(
        "weight_g_idx", "sorts columns into groups by an index, which is not read",
        hint: "export the model again with actorder \"static\", which needs no index")
    }
    let fits =
      switch format {
      case .dense: false
      case .packed, .integers: !arguments.isFloat
      case .naive: !arguments.isFloat || arguments.bits == 8
      case .floats, .mxfp8: arguments.isFloat && arguments.bits == 8
      case .nvfp4, .mxfp4: arguments.isFloat && arguments.bits == 4
      }
    guard fits else {
      let kind = arguments.isFloat ? "floats" : "integers"
      throw parts.error(
        codesPart, "cannot be \(kind) of \(arguments.bits) bits in the format \(format.rawValue)")
    }
    if case .group(let size) = arguments.sharing, columns % size != 0 {
      throw parts.error(
        "weight_scale", "groups of \(size) do not divide rows of \(columns) weights")
    }
  }

  /// The name of the tensor of codes.
  var codesPart: String {
    switch format {
    case .packed, .nvfp4, .mxfp4: "weight_packed"
    default: "weight"
    }
  }

  /// Checks the codes, and returns whether packed ones are so densely.
  ///
  /// Where both layouts take as many words, `packsDensely` decides.
  private func checkCodes(packsDensely: Bool) throws(CheckpointError) -> Bool {
    let (bits, part) = (arguments.bits, codesPart)
    switch format {
    case .packed:
      let dense = (columns * bits + 31) / 32
      let padded = (columns + 32 / bits - 1) / (32 / bits)
      let words = parts[part]?.shape.last
      let isDense = words == dense && (words != padded || packsDensely)
      try check(part, .int32, [rows, isDense || words != padded ? dense : padded])
      return isDense
    case .nvfp4, .mxfp4:
      guard columns % 2 == 0 else { throw parts.error(part, "cannot pair the codes of an odd row") }
      try check(part, .uint8, [rows, columns / 2])
    default: try check(part, arguments.isFloat ? .float8 : .int8, [rows, columns])
    }
    return true
  }

  private func checkScales() throws(CheckpointError) {
    let part = "weight_scale"
    let counts = scaleCounts
    switch format {
    case .mxfp4, .mxfp8: try check(part, .uint8, [counts.rows, counts.columns])
    case .nvfp4:
      try check(part, .float8, [counts.rows, counts.columns])
      try check("weight_global_scale", .float32, [1])
    default:
      guard let entry = parts[part] else { throw missing(part) }
      let types: [ElementType] = [.float16, .bfloat16, .float32]
      guard let type = entry.type, types.contains(type) else {
        throw parts.error(part, "is of type \(entry.typeName), not F16, BF16 or F32")
      }
      try check(part, type, [counts.rows, counts.columns])
    }
    guard !arguments.isFloat else { return }
    if case .block(_, let size) = arguments.sharing, columns % size != 0 {
      throw parts.error(part, "blocks of \(size) columns do not divide rows of \(columns) integers")
    }
    if format == .packed { _ = try Self.shapeEntry(of: parts) }
    if !arguments.isSymmetric {
      try checkZeroPoints()
    } else if parts["weight_zero_point"] != nil {
      // Older versions store zeros.
      try check("weight_zero_point", .int8, [counts.rows, counts.columns])
    }
  }

  private func checkZeroPoints() throws(CheckpointError) {
    let (part, counts, bits) = ("weight_zero_point", scaleCounts, arguments.bits)
    guard format == .packed, parts[part]?.type != .int8 else {
      return try check(part, .int8, [counts.rows, counts.columns])
    }
    let words = isDense ? (rows * bits + 31) / 32 : (rows + 32 / bits - 1) / (32 / bits)
    guard counts.rows == rows else {
      throw parts.error(part, "is packed, though not every row has scales of its own")
    }
    try check(part, .int32, [words, counts.columns])
  }

  /// Checks a part's type and its shape, in which sizes of 1 do not count.
  private func check(
    _ part: String, _ type: ElementType, _ shape: [Int]
  ) throws(CheckpointError) {
    guard let entry = parts[part] else { throw missing(part) }
    guard entry.type == type, entry.shape.count <= max(shape.count, 2),
      entry.shape.filter({ $0 != 1 }) == shape.filter({ $0 != 1 })
    else {
      throw parts.error(
        part,
        "is \(entry.shape) of \(entry.typeName), where quantization_config makes it \(shape) of "
          + type.rawValue,
        hint: "check that the configuration belongs to these weights")
    }
  }

  private func missing(_ part: String) -> CheckpointError {
    parts.error(
      part, "is missing, though quantization_config says that the layer is \(scheme.summary)",
      hint: "get the complete model from its source")
  }

  /// Checks the shape that packed codes carry with them.
  private func checkStoredShape() throws(CheckpointError) {
    guard let shape = try Self.storedShape(parts), shape != [rows, columns] else { return }
    throw parts.error(
      "weight_shape", "holds \(shape), where config.json makes it \([rows, columns])")
  }

  /// The shape that packed codes carry with them; nil if they carry none.
  static func storedShape(_ parts: LayerParts) throws(CheckpointError) -> [Int]? {
    guard let entry = try shapeEntry(of: parts) else { return nil }
    return entry.type == .int32
      ? parts.elements(of: "weight_shape", as: Int32.self).map(Int.init)
      : parts.elements(of: "weight_shape", as: Int64.self).map(Int.init)
  }

  private static func shapeEntry(of parts: LayerParts) throws(CheckpointError) -> TensorEntry? {
    guard let entry = parts["weight_shape"] else { return nil }
    guard [.int64, .int32].contains(entry.type), entry.shape == [2] else {
      throw parts.error(
        "weight_shape", "is \(entry.shape) of \(entry.typeName), not two whole numbers",
        hint: "get the complete model from its source")
    }
    return entry
  }
}
