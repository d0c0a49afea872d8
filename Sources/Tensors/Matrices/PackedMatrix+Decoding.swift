extension PackedMatrix {
  /// Bytes of codes, scales and zero points.
  public var byteCount: Int {
    let zeroBytes =
      switch form {
      case .rows(let rows): rows.zeros.bytesAGroup
      case .tiles(let tiles): tiles.layout.hasPoints ? 1 : tiles.layout.hasMinimums ? 2 : 0
      }
    return rows * (wordsPerRow * 4 + groupsPerRow * (2 + zeroBytes))
  }

  /// The rows of `range`, decoded: differences of codes are exact, products round once.
  ///
  /// - Precondition: `range` lies within `0..<rows`.
  public func decoded(rows range: Range<Int>) -> Matrix {
    precondition(range.lowerBound >= 0 && range.upperBound <= rows, "rows outside the matrix")
    let values = [Float](unsafeUninitializedCapacity: range.count * columns) {
      buffer, initialized in
      if let start = buffer.baseAddress { decode(rows: range, into: start) }
      initialized = range.count * columns
    }
    return Matrix(rows: range.count, columns: columns, values: values)
  }

  /// The given rows in the given order, decoded.
  ///
  /// - Precondition: every index lies within `0..<rows`.
  public func decoded(rows indices: [Int]) -> Matrix {
    let values = [Float](unsafeUninitializedCapacity: indices.count * columns) {
      buffer, initialized in
      for (place, row) in indices.enumerated() {
        precondition(row >= 0 && row < rows, "row outside the matrix")
        let part = buffer.extracting(place * columns..<(place + 1) * columns)
        if let start = part.baseAddress { decode(rows: row..<row + 1, into: start) }
      }
      initialized = indices.count * columns
    }
    return Matrix(rows: indices.count, columns: columns, values: values)
  }

  /// The whole matrix, decoded: `rows * columns * 4` bytes of memory.
  public func decoded() -> Matrix { decoded(rows: 0..<rows) }

  private func decode(rows range: Range<Int>, into destination: UnsafeMutablePointer<Float>) {
    switch form {
    case .rows:
      withKernelView { Operand.packed($0, sums: nil).decode(rows: range, into: destination) }
    case .tiles(let tiles): tiles.decode(rows: range, into: destination)
    }
  }
}

extension ZeroPoints {
  fileprivate var bytesAGroup: Int {
    switch self {
    case .symmetric: 0
    case .points: 1
    case .minimums: 2
    }
  }
}
