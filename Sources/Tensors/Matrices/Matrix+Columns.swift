extension Matrix {
  /// The columns in another order: those of the first part, then those of the second, and so on.
  ///
  /// - Parameter parts: Parts of the columns, all of them or some.
  /// - Returns: A matrix of as many rows.
  /// - Precondition: they lie within the matrix.
  public func columns(in parts: [Range<Int>]) -> Matrix {
    precondition(parts.allSatisfy { $0.lowerBound >= 0 && $0.upperBound <= columns })
    let width = parts.reduce(0) { $0 + $1.count }
    return mapRows(to: width) { source, destination in
      var place = 0
      for part in parts {
        (destination + place).update(from: source + part.lowerBound, count: part.count)
        place += part.count
      }
    }
  }

  /// The matrix of so many columns that ``columns(in:)`` makes this one of; zeros where no part says what was there.
  ///
  /// - Precondition: the parts are as many columns as there are, and lie within the new ones.
  public func columns(backFrom parts: [Range<Int>], of count: Int) -> Matrix {
    precondition(parts.reduce(0) { $0 + $1.count } == columns, "a part for each column")
    precondition(parts.allSatisfy { $0.lowerBound >= 0 && $0.upperBound <= count })
    return mapRows(to: count) { source, destination in
      destination.update(repeating: 0, count: count)
      var place = 0
      for part in parts {
        (destination + part.lowerBound).update(from: source + place, count: part.count)
        place += part.count
      }
    }
  }

  /// This matrix, and the columns of another one of as many rows after its own.
  ///
  /// - Precondition: as many rows.
  public func beside(_ other: Matrix) -> Matrix {
    precondition(rows == other.rows, "as many rows")
    let width = columns + other.columns
    let values = [Float](unsafeUninitializedCapacity: rows * width) { buffer, initialized in
      self.values.withUnsafeBufferPointer { left in
        other.values.withUnsafeBufferPointer { right in
          guard let to = buffer.baseAddress, let left = left.baseAddress,
            let right = right.baseAddress
          else { return }
          for row in 0..<rows {
            (to + row * width).update(from: left + row * columns, count: columns)
            (to + row * width + columns).update(
              from: right + row * other.columns, count: other.columns)
          }
        }
      }
      initialized = rows * width
    }
    return Matrix(rows: rows, columns: width, values: values)
  }
}
