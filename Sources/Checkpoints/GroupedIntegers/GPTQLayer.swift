import Tensors

/// A layer that GPTQ quantized, as AutoGPTQ and GPTQModel pack it.
///
/// Codes are columns x rows in 32-bit words, each column of words a little-endian stream of bits; scales and zero points
/// are groups x rows, the latter a stream of bits along a group. `g_idx` gives each column's group.
struct GPTQLayer: StoredLayer {
  let name: String
  let rows: Int
  let columns: Int
  let bits: Int
  let parts: LayerParts
  private let groups: Int
  private let groupSize: Int
  private let zeroStorage: GPTQFormat.ZeroStorage
  let type: ElementType

  private static let partNames = ["qweight", "qzeros", "scales", "g_idx"]

  /// Finds the tensors of a layer and checks their types and shapes.
  init(
    _ name: String, _ format: GPTQFormat, shape: [Int]?, in table: TensorTable
  ) throws(CheckpointError) {
    self.name = name
    parts = LayerParts(of: name, Self.partNames, in: table)
    zeroStorage = format.zeroStorage
    let codes = try parts.required("qweight", ["I32"])
    let scales = try parts.required("scales", ["F16", "BF16"])
    let isPackedAcross =
      codes.shape.count == 2 && scales.shape.count == 2
      && codes.shape[1] == (scales.shape[1] * format.bits + 31) / 32
    guard !isPackedAcross || codes.shape[1] == scales.shape[1] else {
      throw parts.error(
        "qweight",
        "is \(codes.shape), packed along outputs as AWQ packs, where config.json says GPTQ",
        hint: "write \"quant_method\": \"awq\" into its quantization_config")
    }
    guard codes.shape.count == 2, scales.shape.count == 2, codes.shape[1] == scales.shape[1] else {
      throw parts.error(
        "qweight", "is \(codes.shape) and has scales of \(scales.shape), which make no matrix")
    }
    let words = codes.shape[0]
    (rows, groups) = (codes.shape[1], scales.shape[0])
    type = scales.type ?? .float16
    columns = shape?.last ?? parts["g_idx"]?.shape.last ?? words * 32 / format.bits
    try parts.check("qweight", rows: rows, columns: columns, against: shape)
    // GPTQModel can give layers bits and groups of their own, which the tensors tell.
    let columns = columns
    let candidates = [format.bits, 2, 3, 4, 8].filter { (columns * $0 + 31) / 32 == words }
    guard let bits = candidates.first(where: [2, 3, 4, 8].contains), columns > 0 else {
      throw parts.error(
        "qweight",
        "holds \(words) words for \(columns) weights a row, which are not codes of 2, 3, 4 "
          + "or 8 bits")
    }
    self.bits = bits
    let size = format.groupSize ?? columns
    let isAsConfigured = (columns + size - 1) / size == groups
    guard isAsConfigured || columns % groups == 0 else {
      throw parts.error(
        "scales", "are for \(groups) groups, which do not divide \(columns) weights")
    }
    groupSize = min(isAsConfigured ? size : columns / groups, columns)
    try parts.check("qzeros", "I32", [groups, (rows * bits + 31) / 32])
    if let order = parts["g_idx"], order.byteCount > 0 {
      try parts.check("g_idx", "I32", [columns])
    }
  }

  /// Whether codes are symmetric the first group of each row tells, so that opening reads little.
  var scheme: WeightFormat {
    let isSymmetric = GroupedIntegers.areInTheMiddle(zeroPoints(groups: 1), bits: bits)
    return .integer(bits: bits, sharing: sharing, isSymmetric: isSymmetric)
  }

  private var sharing: ScaleSharing { ScaleSharing(groupSize: groupSize, columns: columns) }

  var heldFormat: WeightFormat? {
    guard columnsAreInOrder(order) else { return nil }
    let isSymmetric = GroupedIntegers.areInTheMiddle(zeroPoints(groups: groups), bits: bits)
    return .integer(bits: bits, sharing: sharing, isSymmetric: isSymmetric)
  }

  func weights() throws(CheckpointError) -> LayerWeights {
    let order = order
    guard order.allSatisfy({ (0..<groups).contains(Int($0)) }) else {
      throw parts.error("g_idx", "names a group outside 0 to \(groups - 1)")
    }
    let integers = GroupedIntegers(
      rows: rows, columns: columns, bits: bits, codes: codes(),
      scales: parts.elements(of: "scales", as: UInt16.self), scaleType: type,
      points: zeroPoints(groups: groups))
    return columnsAreInOrder(order)
      ? integers.packed(groupSize: groupSize) : integers.decoded(groups: order.map(Int.init))
  }
}

extension GPTQLayer {
  /// The group of each column.
  private var order: [Int32] {
    let stored = parts.elements(of: "g_idx", as: Int32.self)
    return stored.isEmpty ? (0..<columns).map { Int32($0 / groupSize) } : stored
  }

  /// Whether groups are of consecutive columns, all of one size, so that codes can stay.
  private func columnsAreInOrder(_ order: [Int32]) -> Bool {
    columns % groupSize == 0 && order.enumerated().allSatisfy { $0 / groupSize == Int($1) }
  }

  /// Codes as ``PackedMatrix`` packs them: the words of a column are those of a row there.
  private func codes() -> [UInt32] {
    let words = parts.elements(of: "qweight", as: UInt32.self)
    return words.transposed(columns: rows)
  }

  /// Zero points of the first groups, groups x rows.
  private func zeroPoints(groups: Int) -> [UInt8] {
    var words = parts.elements(
      of: "qzeros", first: groups * ((rows * bits + 31) / 32), as: UInt32.self)
    let ones: [Int: UInt32] = [2: 0x5555_5555, 4: 0x1111_1111, 8: 0x0101_0101]
    if zeroStorage == .lessOne, let one = ones[bits] {
      // Whole words had the ones subtracted, so that a zero borrowed from the next point.
      for index in words.indices { words[index] &+= one }
    }
    let points = PackedMatrix.unpack(words: words, rows: groups, columns: rows, bits: bits)
    guard zeroStorage == .lessOne, ones[bits] == nil else { return points }
    // Points of 3 bits straddle words; GPTQModel shifts each by itself.
    return points.map { ($0 + 1) & (1 << UInt8(bits) - 1) }
  }
}
