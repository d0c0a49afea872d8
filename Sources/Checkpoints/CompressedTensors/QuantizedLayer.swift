import Tensors

/// A layer that compressed-tensors quantized: the tensors that make it, found and checked, not yet read.
struct QuantizedLayer: StoredLayer {
  /// Hugging Face name without `.weight`.
  let name: String
  let rows: Int
  let columns: Int
  let format: ModuleFormat
  /// Whether codes are packed as a dense stream of bits, and not whole ones only in a word.
  private(set) var isDense = true
  /// By the name that follows the layer's.
  let parts: LayerParts

  /// Finds the tensors of a layer and checks their types and shapes.
  ///
  /// - Throws: ``CheckpointError`` naming the tensor that is missing or does not fit.
  init(
    _ name: String, rows: Int, columns: Int, format: ModuleFormat, packsDensely: Bool,
    in table: TensorTable
  ) throws(CheckpointError) {
    self.name = name
    (self.rows, self.columns) = (rows, columns)
    self.format = format
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

  var scheme: WeightFormat { format.weights }
  private var arguments: QuantizationArguments { format.arguments }

  /// The type that the weights have for compressed-tensors: that of their scales, BF16 where those are no weights' type.
  var type: ElementType {
    switch format.packing {
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

  /// The format of what ``weights()`` reads; nil where it decodes.
  var heldFormat: WeightFormat? {
    if arguments.isFloat { return heldFloats.map { WeightFormat($0) } }
    guard type != .float32 else { return nil }
    return .integer(
      bits: heldBits, sharing: ScaleSharing(groupSize: groupSize, columns: columns),
      isSymmetric: arguments.isSymmetric)
  }
}

extension QuantizedLayer {
  /// The rows and columns of the rectangles that share a scale.
  var scaleRectangle: (rows: Int, columns: Int) {
    format.scaleRectangle(rows: rows, columns: columns)
  }

  /// How many scales there are, down and across.
  var scaleCounts: (rows: Int, columns: Int) { format.scaleCounts(rows: rows, columns: columns) }

  /// The name of the tensor of codes.
  var codesPart: String { format.codesPart }
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
      switch format.packing {
      case .dense: false
      case .packed, .integers: !arguments.isFloat
      case .naive: !arguments.isFloat || arguments.bits == 8
      case .floats, .mxfp8: arguments.isFloat && arguments.bits == 8
      case .nvfp4, .mxfp4: arguments.isFloat && arguments.bits == 4
      }
    guard fits else {
      let kind = arguments.isFloat ? "floats" : "integers"
      throw parts.error(
        codesPart,
        "cannot be \(kind) of \(arguments.bits) bits in the format \(format.packing.rawValue)")
    }
    if case .group(let size) = arguments.sharing, columns % size != 0 {
      throw parts.error(
        "weight_scale", "groups of \(size) do not divide rows of \(columns) weights")
    }
  }

  /// Checks the codes, and returns whether packed ones are so densely.
  ///
  /// Where both layouts take as many words, `packsDensely` decides.
  private func checkCodes(packsDensely: Bool) throws(CheckpointError) -> Bool {
    let codes = format.codes(rows: rows, columns: columns)
    switch format.packing {
    case .packed:
      let bits = arguments.bits
      let dense = codes.shape[1]
      let padded = (columns + 32 / bits - 1) / (32 / bits)
      let words = parts[codes.name]?.shape.last
      let isDense = words == dense && (words != padded || packsDensely)
      try check(codes.name, .int32, [rows, isDense || words != padded ? dense : padded])
      return isDense
    case .nvfp4 where columns % 2 != 0, .mxfp4 where columns % 2 != 0:
      throw parts.error(codes.name, "cannot pair the codes of an odd row")
    case .dense, .integers, .naive, .floats, .mxfp8, .nvfp4, .mxfp4:
      try check(codes.name, codes.type, codes.shape)
    }
    return true
  }

  private func checkScales() throws(CheckpointError) {
    let part = "weight_scale"
    guard let entry = parts[part] else { throw missing(part) }
    var type = ElementType.bfloat16
    if [.packed, .integers, .naive, .floats].contains(format.packing) {
      let types: [ElementType] = [.float16, .bfloat16, .float32]
      guard let stored = entry.type, types.contains(stored) else {
        throw parts.error(part, "is of type \(entry.typeName), not F16, BF16 or F32")
      }
      type = stored
    }
    for scales in format.scales(rows: rows, columns: columns, type: type) {
      try check(scales.name, scales.type, scales.shape)
    }
    guard !arguments.isFloat else { return }
    if case .block(_, let size) = arguments.sharing, columns % size != 0 {
      throw parts.error(part, "blocks of \(size) columns do not divide rows of \(columns) integers")
    }
    if format.packing == .packed { _ = try Self.shapeEntry(of: parts) }
    if !arguments.isSymmetric {
      try checkZeroPoints()
    } else if parts["weight_zero_point"] != nil {
      // Older versions store zeros.
      try check("weight_zero_point", .int8, [scaleCounts.rows, scaleCounts.columns])
    }
  }

  private func checkZeroPoints() throws(CheckpointError) {
    let (part, counts, bits) = ("weight_zero_point", scaleCounts, arguments.bits)
    guard format.packing == .packed, parts[part]?.type != .int8 else {
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
