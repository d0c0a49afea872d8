import Tensors

extension QuantizedLayer {
  /// The layer's codes, scales and zero points.
  func integers() throws(CheckpointError) -> LayerWeights {
    let points = try zeroPoints()
    let bits = heldBits
    let groups = columns / groupSize
    guard type != .float32 else { return decodedIntegers(points: points) }
    let scales = spread(parts.elements(of: "weight_scale", as: UInt16.self))
    precondition(scales.count == rows * groups, "shapes were checked")
    return .packed(
      PackedMatrix(
        rows: rows, columns: columns, bits: bits, groupSize: groupSize, codes: words(),
        scales: scales, scaleType: type, zeros: points.map { .points(spread($0)) } ?? .symmetric))
  }

  /// Bits of a code as it is held: as packed, or a byte.
  var heldBits: Int { format.packing == .packed ? format.arguments.bits : 8 }

  /// Weights of a row that share a scale.
  var groupSize: Int { scaleRectangle.columns }

  /// Codes as ``PackedMatrix`` has them.
  private func words() -> [UInt32] {
    guard format.packing == .packed else {
      // Bytes with a sign; with the sign bit inverted they are codes around 128.
      let codes = parts.elements(of: codesPart, as: UInt8.self).map { $0 ^ 0x80 }
      return PackedMatrix.pack(codes: codes, rows: rows, columns: columns, bits: 8)
    }
    let words = parts.elements(of: codesPart, as: UInt32.self)
    guard !isDense else { return words }
    let codes = paddedCodes(words, rows: rows, count: columns)
    return PackedMatrix.pack(
      codes: codes, rows: rows, columns: columns, bits: format.arguments.bits)
  }

  /// Codes of rows of words each of which holds whole codes only, from its lowest bits on.
  private func paddedCodes(_ words: [UInt32], rows: Int, count: Int) -> [UInt8] {
    let bits = format.arguments.bits
    let codesAWord = 32 / bits
    let wordsARow = (count + codesAWord - 1) / codesAWord
    let mask = UInt32(1) << bits - 1
    var codes: [UInt8] = []
    codes.reserveCapacity(rows * count)
    for row in 0..<rows {
      for column in 0..<count {
        let word = words[row * wordsARow + column / codesAWord]
        codes.append(UInt8(truncatingIfNeeded: word >> (column % codesAWord * bits) & mask))
      }
    }
    return codes
  }

  /// The zero points that are stored, as codes; nil where weights are symmetric.
  private func zeroPoints() throws(CheckpointError) -> [UInt8]? {
    let part = "weight_zero_point"
    guard let entry = parts[part] else { return nil }
    let middle = 1 << (heldBits - 1)
    guard format.arguments.isSymmetric || entry.type == .int8 else { return unpackedPoints() }
    let points = parts.elements(of: part, as: Int8.self).map { Int($0) + middle }
    guard !format.arguments.isSymmetric else {
      // Older versions store zeros.
      guard entry.type == .int8, points.allSatisfy({ $0 == middle }) else {
        throw parts.error(part, "is not zero, though quantization_config says that it is symmetric")
      }
      return nil
    }
    guard points.allSatisfy({ (0..<1 << heldBits).contains($0) }) else {
      throw parts.error(part, "is outside the range of codes of \(heldBits) bits")
    }
    return points.map { UInt8($0) }
  }

  /// Zero points that are packed down each column of groups.
  private func unpackedPoints() -> [UInt8] {
    let words = parts.elements(of: "weight_zero_point", as: UInt32.self)
    let groups = scaleCounts.columns
    let wordsAColumn = words.count / groups
    var points = [UInt8](repeating: 0, count: rows * groups)
    for group in 0..<groups {
      let column = (0..<wordsAColumn).map { words[$0 * groups + group] }
      let codes =
        isDense
        ? PackedMatrix.unpack(words: column, rows: 1, columns: rows, bits: format.arguments.bits)
        : paddedCodes(column, rows: 1, count: rows)
      for (row, code) in codes.enumerated() { points[row * groups + group] = code }
    }
    return points
  }

  /// One value for each group of each row, of values that rows may share.
  func spread<Element>(_ values: [Element]) -> [Element] {
    let (shared, groups) = (scaleRectangle.rows, scaleCounts.columns)
    guard shared > 1 else { return values }
    return (0..<rows).flatMap { values[$0 / shared * groups..<($0 / shared + 1) * groups] }
  }

  /// The weights in single precision, as their scales are.
  private func decodedIntegers(points: [UInt8]?) -> LayerWeights {
    let codes = PackedMatrix.unpack(
      words: words(), rows: rows, columns: columns, bits: heldBits)
    let scales = spread(parts.elements(of: "weight_scale", as: UInt32.self))
    let zeros = points.map { spread($0) }
    let groups = columns / groupSize
    let weights = codes.enumerated().map { place, code in
      let group = place / columns * groups + place % columns / groupSize
      let zero = zeros.map { Int($0[group]) } ?? 1 << (heldBits - 1)
      return Float(Int(code) - zero) * Float(bitPattern: scales[group])
    }
    return .stored(
      StoredMatrix(
        copying: weights.littleEndianBytes, type: .float32, rows: rows, columns: columns))
  }
}
