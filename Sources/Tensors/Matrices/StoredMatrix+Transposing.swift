extension StoredMatrix {
  /// A copy in memory with rows and columns exchanged, of each of `count` matrices that lie one below the other.
  ///
  /// - Precondition: the type is plain, rows are in plain order, and the matrices divide them evenly.
  public func transposed(count: Int) -> StoredMatrix {
    precondition(!type.isQuantized && rowOrder == .plain && count > 0 && rows % count == 0)
    let bytes = type.bytesPerBlock == 2 ? turned(count, UInt16.self) : turned(count, UInt32.self)
    return StoredMatrix(
      copying: bytes, type: type, rows: count * columns, columns: rows / count)
  }

  private func turned<Element: FixedWidthInteger>(
    _ count: Int, _ element: Element.Type
  ) -> [UInt8] {
    precondition(type.bytesPerBlock == MemoryLayout<Element>.size, "elements of the type's width")
    let size = byteCount / count
    return (0..<count).flatMap { matrix in
      let start = offset + matrix * size
      return storage.integers(in: start..<start + size, as: element).transposed(columns: columns)
        .littleEndianBytes
    }
  }
}

extension Array {
  /// The matrix of these elements and so many columns, its rows as columns.
  ///
  /// - Precondition: rows are whole.
  package func transposed(columns: Int) -> [Element] {
    guard columns > 1, let first else { return self }
    let (rows, tile) = (count / columns, 64)
    var result = [Element](repeating: first, count: count)
    // Tile by tile, so that what is read and what is written stay in the cache.
    for top in stride(from: 0, to: rows, by: tile) {
      for left in stride(from: 0, to: columns, by: tile) {
        for row in top..<Swift.min(top + tile, rows) {
          for column in left..<Swift.min(left + tile, columns) {
            result[column * rows + row] = self[row * columns + column]
          }
        }
      }
    }
    return result
  }
}
