extension LayerWeights {
  /// These weights with columns of tiled heads in the grouped order, codes and scales with them.
  ///
  /// - Returns: nil where heads share scales, so that they cannot move apart.
  public func grouping(_ tiling: HeadTiling) -> LayerWeights? {
    switch self {
    case .stored(let matrix):
      return .stored(matrix.orderingColumns { tiling.tiled($0, of: matrix.columns) })
    case .packed(let matrix): return matrix.grouping(tiling).map { .packed($0) }
    case .floats(let matrix): return matrix.grouping(tiling).map { .floats($0) }
    case .stack: return nil
    }
  }
}

extension PackedMatrix {
  /// As ``LayerWeights/grouping(_:)``.
  public func grouping(_ tiling: HeadTiling) -> PackedMatrix? {
    let ordered: ZeroPoints?
    switch zeros {
    case .symmetric: ordered = .symmetric
    case .points(let points): ordered = tiling.grouping(points, rows: rows).map { .points($0) }
    case .minimums(let minimums):
      ordered = tiling.grouping(minimums, rows: rows).map { .minimums($0) }
    }
    guard let ordered, let codes = tiling.grouping(unpackedCodes(), rows: rows),
      let scales = tiling.grouping(scales, rows: rows)
    else { return nil }
    return PackedMatrix(
      rows: rows, columns: columns, bits: bits, groupSize: groupSize,
      codes: Self.pack(codes: codes, rows: rows, columns: columns, bits: bits), scales: scales,
      scaleType: scaleType, zeros: ordered)
  }
}

extension FloatMatrix {
  fileprivate func grouping(_ tiling: HeadTiling) -> FloatMatrix? {
    guard let codes = tiling.grouping(codes, rows: rows),
      let scales = tiling.grouping(scales, rows: rows)
    else { return nil }
    return FloatMatrix(
      rows: rows, columns: columns, format: format, codes: codes, scales: scales,
      divisor: divisor, type: type)
  }
}

extension HeadTiling {
  /// Rows of values for tiled heads as rows for grouped ones; a single value of a row is all heads'.
  ///
  /// - Returns: nil where heads share values.
  fileprivate func grouping<Value>(_ values: [Value], rows: Int) -> [Value]? {
    let width = values.count / rows
    guard width > 1 else { return values }
    guard width % (groups * heads) == 0 else { return nil }
    let size = width / (groups * heads)
    let places = (0..<groups * heads).map { tiled($0, of: groups * heads) }
    var result: [Value] = []
    result.reserveCapacity(values.count)
    for row in 0..<rows {
      for place in places {
        let start = row * width + place * size
        result += values[start..<start + size]
      }
    }
    return result
  }
}
