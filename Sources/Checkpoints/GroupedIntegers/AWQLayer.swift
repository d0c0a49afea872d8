import Tensors

/// A layer of 4-bit codes as AutoAWQ packs them, eight to a 32-bit word.
///
/// For `gemm`, codes are columns x rows, zero points and scales groups x rows, and a word holds eight rows in
/// the order 0, 2, 4, 6, 1, 3, 5, 7. For `gemv`, codes are rows x columns, in order, and groups are padded to whole words.
struct AWQLayer: StoredLayer {
  let name: String
  let rows: Int
  let columns: Int
  let type: ElementType
  let parts: LayerParts
  private let groupSize: Int
  private let packing: AWQFormat.Packing

  private static let bits = 4
  private static let codesAWord = 8
  /// Which of eight rows each place of a word holds, from its lowest bits on.
  private static let order = [0, 2, 4, 6, 1, 3, 5, 7]

  /// Finds the tensors of a layer and checks their types and shapes.
  init(
    _ name: String, _ format: AWQFormat, shape: [Int]?, in table: TensorTable
  ) throws(CheckpointError) {
    self.name = name
    packing = format.packing
    parts = LayerParts(of: name, ["qweight", "qzeros", "scales"], in: table)
    let codes = try parts.required("qweight", ["I32"])
    let scales = try parts.required("scales", ["F16", "BF16"])
    type = scales.type ?? .float16
    guard codes.shape.count == 2, scales.shape.count == 2 else {
      throw parts.error("qweight", "is no matrix")
    }
    let (first, packed) = (codes.shape[0], codes.shape[1] * Self.codesAWord)
    (rows, columns) = packing == .gemm ? (packed, first) : (first, packed)
    try parts.check("qweight", rows: rows, columns: columns, against: shape)
    groupSize = format.groupSize ?? columns
    guard columns % groupSize == 0 else {
      throw parts.error("scales", "groups of \(groupSize) do not divide rows of \(columns) weights")
    }
    let groups = columns / groupSize
    switch packing {
    case .gemm:
      try parts.check("scales", scales.typeName, [groups, rows])
      try parts.check("qzeros", "I32", [groups, rows / Self.codesAWord])
    case .gemv:
      let points = try parts.required("qzeros", ["I32"])
      let words = points.shape.last ?? 0
      guard words * Self.codesAWord >= groups else {
        throw parts.error("qzeros", "is \(points.shape), too few for \(groups) groups")
      }
      try parts.check("qzeros", "I32", [rows, words])
      try parts.check("scales", scales.typeName, [rows, words * Self.codesAWord])
    }
  }

  var scheme: StoredScheme {
    let sharing: ScaleSharing = groupSize == columns ? .channel : .group(groupSize)
    return .integer(bits: Self.bits, sharing: sharing, isSymmetric: false)
  }

  var heldCodes: HeldCodes? {
    let isSymmetric = GroupedIntegers.areInTheMiddle(zeroPoints(), bits: Self.bits)
    return .integers(bits: Self.bits, groupSize: groupSize, isSymmetric: isSymmetric)
  }

  func weights() -> LayerWeights {
    GroupedIntegers(
      rows: rows, columns: columns, bits: Self.bits, codes: codes(), scales: scales(),
      scaleType: type, points: zeroPoints()
    ).packed(groupSize: groupSize)
  }
}

extension AWQLayer {
  /// Codes as ``PackedMatrix`` packs them.
  private func codes() -> [UInt32] {
    let words = parts.elements(of: "qweight", as: UInt32.self)
    guard packing == .gemm else { return words }
    return PackedMatrix.pack(
      codes: Self.ordered(words, columns: rows).transposed(columns: rows), rows: rows,
      columns: columns, bits: Self.bits)
  }

  /// Zero points, groups x rows.
  private func zeroPoints() -> [UInt8] {
    let words = parts.elements(of: "qzeros", as: UInt32.self)
    guard packing == .gemv else { return Self.ordered(words, columns: rows) }
    let width = words.count / rows * Self.codesAWord
    return firstGroups(
      of: PackedMatrix.unpack(words: words, rows: rows, columns: width, bits: Self.bits))
  }

  /// Scales, groups x rows.
  private func scales() -> [UInt16] {
    let scales = parts.elements(of: "scales", as: UInt16.self)
    return packing == .gemv ? firstGroups(of: scales) : scales
  }

  /// Groups x rows of what is padded, rows x more than groups.
  private func firstGroups<Element>(of values: [Element]) -> [Element] {
    Array(values.transposed(columns: values.count / rows).prefix(columns / groupSize * rows))
  }

  /// Codes of so many columns, in order.
  private static func ordered(_ words: [UInt32], columns: Int) -> [UInt8] {
    var codes = [UInt8](repeating: 0, count: words.count * codesAWord)
    for (index, word) in words.enumerated() {
      for (place, offset) in order.enumerated() {
        codes[index * codesAWord + offset] = UInt8(word >> (place * bits) & 0xf)
      }
    }
    return codes
  }
}
