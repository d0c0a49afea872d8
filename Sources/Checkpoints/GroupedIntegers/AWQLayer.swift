import Tensors

/// A layer of codes as AutoAWQ packs them: of 4 bits, eight to a 32-bit word.
///
/// For `gemm`, codes are columns x rows, zero points and scales groups x rows, and a word holds eight rows in
/// the order 0, 2, 4, 6, 1, 3, 5, 7. For `gemv`, codes are rows x columns, in order, and groups are padded to whole words.
/// GPTQModel has other bits too, which are streams along the rows, in order.
struct AWQLayer: StoredLayer {
  let name: String
  let rows: Int
  let columns: Int
  let type: ElementType
  let parts: LayerParts
  private let bits: Int
  private let groupSize: Int
  private let packing: AWQFormat.Packing

  private static let codesAWord = 8
  /// Where in a word each of eight rows is.
  private static let shifts = SIMD8<UInt32>(0, 16, 4, 20, 8, 24, 12, 28)
  /// Where in a word each of eight columns belongs.
  private static let places = SIMD8<UInt32>(0, 4, 8, 12, 16, 20, 24, 28)

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
    bits = format.bits
    guard packing != .gemm || codes.shape[1] != scales.shape[1] else {
      throw parts.error(
        "qweight",
        "is \(codes.shape), packed along inputs as GPTQ packs, where config.json says AWQ",
        hint: "write \"quant_method\": \"gptq\" into its quantization_config")
    }
    if packing == .gemm {
      (rows, columns) = (scales.shape[1], codes.shape[0])
      try parts.check("qweight", "I32", [columns, (rows * bits + 31) / 32])
    } else {
      (rows, columns) = (codes.shape[0], codes.shape[1] * Self.codesAWord)
    }
    try parts.check("qweight", rows: rows, columns: columns, against: shape)
    groupSize = format.groupSize ?? columns
    guard bits != 4 || columns % Self.codesAWord == 0 && rows % Self.codesAWord == 0 else {
      throw parts.error("qweight", "is of \([rows, columns]) codes, which fill no whole words")
    }
    guard columns % groupSize == 0 else {
      throw parts.error("scales", "groups of \(groupSize) do not divide rows of \(columns) weights")
    }
    let groups = columns / groupSize
    switch packing {
    case .gemm:
      try parts.check("scales", scales.typeName, [groups, rows])
      try parts.check("qzeros", "I32", [groups, (rows * bits + 31) / 32])
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

  var scheme: WeightFormat {
    return .integer(bits: bits, sharing: sharing, isSymmetric: false)
  }

  private var sharing: ScaleSharing { ScaleSharing(groupSize: groupSize, columns: columns) }

  var heldFormat: WeightFormat? {
    let isSymmetric = GroupedIntegers.areInTheMiddle(zeroPoints(), bits: bits)
    return .integer(bits: bits, sharing: sharing, isSymmetric: isSymmetric)
  }

  func weights() -> LayerWeights {
    GroupedIntegers(
      rows: rows, columns: columns, bits: bits, codes: codes(), scales: scales(),
      scaleType: type, points: zeroPoints()
    ).packed(groupSize: groupSize)
  }
}

extension AWQLayer {
  /// Codes as ``PackedMatrix`` packs them.
  private func codes() -> [UInt32] {
    let words = parts.elements(of: "qweight", as: UInt32.self)
    guard packing == .gemm else { return words }
    guard bits == 4 else {
      let codes = PackedMatrix.unpack(words: words, rows: columns, columns: rows, bits: bits)
      return PackedMatrix.pack(
        codes: codes.transposed(columns: rows), rows: rows, columns: columns, bits: bits)
    }
    let (across, down) = (rows / Self.codesAWord, columns / Self.codesAWord)
    var codes = [UInt32](repeating: 0, count: words.count)
    // Eight columns of eight rows at a time: a word of each column becomes one of each row.
    for block in 0..<down {
      for place in 0..<across {
        var square = SIMD8<UInt32>()
        for column in 0..<Self.codesAWord {
          square[column] = words[(block * Self.codesAWord + column) * across + place]
        }
        for row in 0..<Self.codesAWord {
          let weights = square &>> SIMD8(repeating: Self.shifts[row]) & SIMD8(repeating: 0xf)
          codes[(place * Self.codesAWord + row) * down + block] =
            (weights &<< Self.places).wrappedSum()
        }
      }
    }
    return codes
  }

  /// Zero points, groups x rows.
  private func zeroPoints() -> [UInt8] {
    let words = parts.elements(of: "qzeros", as: UInt32.self)
    guard packing == .gemv else {
      let inOrder = bits == 4 ? words.map(Self.ordered) : words
      return PackedMatrix.unpack(
        words: inOrder, rows: columns / groupSize, columns: rows, bits: bits)
    }
    let width = words.count / rows * Self.codesAWord
    return firstGroups(
      of: PackedMatrix.unpack(words: words, rows: rows, columns: width, bits: bits))
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

  /// A word's eight codes in order.
  private static func ordered(_ word: UInt32) -> UInt32 {
    spread(word & 0xffff) | spread(word >> 16) << 4
  }

  /// The four codes of the lower half at the even places of a word.
  private static func spread(_ half: UInt32) -> UInt32 {
    let pairs = (half | half << 8) & 0x00ff_00ff
    return (pairs | pairs << 4) & 0x0f0f_0f0f
  }
}
