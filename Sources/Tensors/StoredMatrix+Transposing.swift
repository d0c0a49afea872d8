extension StoredMatrix {
  /// A copy in memory with rows and columns exchanged, of each of `count` matrices that lie one below the other.
  ///
  /// - Precondition: the type is plain, rows are in plain order, and the matrices divide them evenly.
  public func transposed(count: Int = 1) -> StoredMatrix {
    precondition(!type.isQuantized && rowOrder == .plain && count > 0 && rows % count == 0)
    let (height, size) = (rows / count, type.bytesPerBlock)
    let source = bytes
    var result = [UInt8](repeating: 0, count: source.count)
    for matrix in 0..<count {
      let base = matrix * height * columns
      for row in 0..<height {
        for column in 0..<columns {
          let from = (base + row * columns + column) * size
          let to = (base + column * height + row) * size
          for byte in 0..<size { result[to + byte] = source[from + byte] }
        }
      }
    }
    return StoredMatrix(copying: result, type: type, rows: count * columns, columns: height)
  }
}
