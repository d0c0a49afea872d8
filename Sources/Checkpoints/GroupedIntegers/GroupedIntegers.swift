import Tensors

/// Integer codes with a scale and a zero point for each group of a row: weight = (code - point) * scale.
struct GroupedIntegers: Sendable {
  let rows: Int
  let columns: Int
  let bits: Int
  /// As ``PackedMatrix`` packs them.
  let codes: [UInt32]
  /// Groups x rows, bits of `scaleType`.
  let scales: [UInt16]
  let scaleType: ElementType
  /// Groups x rows.
  let points: [UInt8]

  /// The codes as they are, for groups of consecutive columns.
  func packed(groupSize: Int) -> LayerWeights {
    let isSymmetric = Self.areInTheMiddle(points, bits: bits)
    return .packed(
      PackedMatrix(
        rows: rows, columns: columns, bits: bits, groupSize: groupSize, codes: codes,
        scales: scales.transposed(columns: rows), scaleType: scaleType,
        zeros: isSymmetric ? .symmetric : .points(points.transposed(columns: rows))))
  }

  /// The weights, each rounded once to the type of the scales.
  ///
  /// - Parameter groups: The group of each column.
  /// - Returns: Weights of 16 bits.
  func decoded(groups: [Int]) -> LayerWeights {
    let codes = PackedMatrix.unpack(words: codes, rows: rows, columns: columns, bits: bits)
    let scales = scaleType.widened(scales)
    var weights: [UInt16] = []
    weights.reserveCapacity(rows * columns)
    var row = [Float](repeating: 0, count: columns)
    for index in 0..<rows {
      for column in 0..<columns {
        let place = groups[column] * rows + index
        let difference = Int(codes[index * columns + column]) - Int(points[place])
        row[column] = Float(difference) * scales[place]
      }
      weights += scaleType.rounded(row)
    }
    return .dense(bits: weights, type: scaleType, rows: rows, columns: columns)
  }

  /// Whether all zero points are those of symmetric codes.
  static func areInTheMiddle(_ points: [UInt8], bits: Int) -> Bool {
    points.allSatisfy { $0 == 1 << (bits - 1) }
  }
}
