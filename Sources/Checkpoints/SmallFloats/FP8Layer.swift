import Tensors

/// A layer of E4M3 codes and scales that weights are multiplied with, or a stack of experts of such.
struct FP8Layer: StoredLayer {
  let name: String
  let rows: Int
  let columns: Int
  let type: ElementType
  let parts: LayerParts
  private let sharing: ScaleSharing
  /// Rows of one expert; all of them where there are no experts.
  private let expertRows: Int
  /// The rows and columns of the rectangles that share a scale, which begin anew with each expert.
  private let rectangle: (rows: Int, columns: Int)

  private static let scaleTypes = ["F32", "BF16", "F16", "F8_E8M0"]

  /// Finds the tensors of a layer and checks their types and shapes.
  init(
    _ name: String, _ format: FP8Format, shape: [Int]?, in table: TensorTable
  ) throws(CheckpointError) {
    self.name = name
    // Experts in one tensor have no `.weight`, and names without a dot.
    let isStack = table["\(name).weight"] == nil
    func named(_ part: String) -> String { isStack ? "\(name)_\(part)" : "\(name).\(part)" }
    let weight = isStack ? name : named("weight")
    let scale = ["\(weight)_scale_inv", "\(weight)_scale"].first { table[$0] != nil }
    let unread = ["input_scale", "activation_scale", "input_scale_ub", "input_activation_scale"]
    var names = Dictionary(uniqueKeysWithValues: unread.map { ($0, named($0)) })
    names["weight"] = weight
    names["scale"] = scale ?? "\(weight)_scale_inv"
    parts = LayerParts(of: name, names: names, in: table)
    let codes = try parts.required("weight", ["F8_E4M3"])
    let scales = try parts.required("scale", Self.scaleTypes)
    guard codes.shape.count == 2 || codes.shape.count == 3 else {
      throw parts.error("weight", "is \(codes.shape), which is no matrix and no stack of such")
    }
    columns = codes.shape[codes.shape.count - 1]
    expertRows = codes.shape[codes.shape.count - 2]
    rows = codes.shape.dropLast().reduce(1, *)
    try parts.check("weight", rows: rows, columns: columns, against: shape)
    type = format.weightType ?? (scales.type.map { $0.isHalf ? $0 : .bfloat16 }) ?? .bfloat16
    let grid = Self.grid(scales.shape, experts: rows / expertRows)
    guard
      let grid, let found = Self.sharing(grid, rows: expertRows, columns: columns, format.block)
    else {
      throw parts.error(
        "scale", "is \(scales.shape), which makes no blocks of a layer of \([rows, columns])",
        hint: "check that weight_block_size in config.json belongs to these weights")
    }
    (sharing, rectangle) = found
  }

  /// Scales of an expert, down and across; nil if they are of another number of experts.
  private static func grid(_ shape: [Int], experts: Int) -> (rows: Int, columns: Int)? {
    if shape.reduce(1, *) == 1 { return (1, 1) }
    guard experts > 1 else {
      return shape.count <= 2 ? (shape.first ?? 1, shape.count == 2 ? shape[1] : 1) : nil
    }
    guard shape.first == experts, shape.count <= 3 else { return nil }
    return (shape.count > 1 ? shape[1] : 1, shape.count > 2 ? shape[2] : 1)
  }

  private static func sharing(
    _ grid: (rows: Int, columns: Int), rows: Int, columns: Int, _ block: (rows: Int, columns: Int)?
  ) -> (ScaleSharing, (rows: Int, columns: Int))? {
    func holds(_ block: (rows: Int, columns: Int)) -> Bool {
      (rows + block.rows - 1) / block.rows == grid.rows
        && (columns + block.columns - 1) / block.columns == grid.columns
    }
    if let block, holds(block) {
      return (.block(rows: block.rows, columns: block.columns), block)
    }
    switch grid {
    case (1, 1): return (.tensor, (rows, columns))
    case (rows, 1): return (.channel, (1, columns))
    default:
      guard rows % grid.rows == 0, columns % grid.columns == 0 else { return nil }
      let block = (rows: rows / grid.rows, columns: columns / grid.columns)
      return (.block(rows: block.rows, columns: block.columns), block)
    }
  }

  var scheme: WeightFormat { .float8(sharing) }

  var heldFormat: WeightFormat? { heldBits().map { WeightFormat($0.format) } }

  func weights() -> LayerWeights {
    guard let held = heldBits() else { return decoded() }
    let across = scalesAcross
    let scales = (0..<rows).flatMap { row in
      let first = scaleRow(row) * across
      return held.bits[first..<first + across]
    }
    return .floats(
      FloatMatrix(
        rows: rows, columns: columns, format: held.format,
        codes: parts.elements(of: "weight", as: UInt8.self), scales: scales, type: type))
  }
}

extension FP8Layer {
  /// The scales as they are stored, and the format they are in; nil for layers that ``FloatMatrix`` cannot hold exactly.
  private func heldBits() -> (format: FloatFormat, bits: [UInt16])? {
    let format: FloatFormat
    switch sharing {
    case .channel: format = .fp8
    case .block(128, 128) where rows == expertRows || expertRows % 128 == 0: format = .fp8Block
    default: return nil
    }
    guard type.isHalf else { return nil }
    let numbers = scales()
    let bits = type.rounded(numbers)
    // Scales in single precision are held only where 16 bits are the same numbers.
    guard type.widened(bits) == numbers else { return nil }
    return (format, bits)
  }

  private var scalesAcross: Int { (columns + rectangle.columns - 1) / rectangle.columns }

  /// Which row of scales is a row's.
  private func scaleRow(_ row: Int) -> Int {
    let down = (expertRows + rectangle.rows - 1) / rectangle.rows
    return isOneScale ? 0 : row / expertRows * down + row % expertRows / rectangle.rows
  }

  private var isOneScale: Bool { parts["scale"].map { $0.shape.reduce(1, *) == 1 } ?? true }

  private func scales() -> [Float] {
    guard parts["scale"]?.typeName == "F8_E8M0" else { return parts.numbers(of: "scale") }
    return parts.elements(of: "scale", as: UInt8.self).map(FloatCodes.powerOfTwo)
  }

  /// The weights in ``type``, each product in single precision and rounded once.
  private func decoded() -> LayerWeights {
    let codes = parts.elements(of: "weight", as: UInt8.self)
    let (scales, across) = (scales(), scalesAcross)
    let values = FloatCodes.e4m3
    var weights = DecodedRows(rows: rows, columns: columns, type: type)
    var row = [Float](repeating: 0, count: columns)
    for index in 0..<rows {
      let first = scaleRow(index) * across
      for column in 0..<columns {
        row[column] =
          values[Int(codes[index * columns + column])] * scales[first + column / rectangle.columns]
      }
      weights.append(row)
    }
    return weights.layer
  }
}
