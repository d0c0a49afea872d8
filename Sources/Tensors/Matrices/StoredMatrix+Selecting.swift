extension StoredMatrix {
  /// A copy in memory of some rows and columns, in the given order.
  ///
  /// Plain types, and whole rows of blocks, keep their very bytes; columns of GGUF's blocks are decoded and rounded to F16.
  /// - Parameters:
  ///   - rows: Rows of the layer; nil takes all.
  ///   - columns: Columns of the layer; nil takes all.
  /// - Returns: A matrix in plain row order.
  /// - Precondition: there are some of each, all within the matrix.
  public func selecting(rows: [Int]?, columns: [Int]?) -> StoredMatrix {
    let rows = rows ?? Array(0..<self.rows)
    precondition(columns?.allSatisfy { (0..<self.columns).contains($0) } ?? true, "columns outside")
    let isDecoded = type.isQuantized && columns != nil
    var bytes: [UInt8] = []
    for row in rows {
      if let columns, isDecoded {
        let values = decoded(rows: [row]).values
        let halves = ElementType.float16.rounded(columns.map { values[$0] })
        bytes += halves.withUnsafeBytes { Array($0) }
      } else {
        withBytes(ofRow: row) { append($0, columns, to: &bytes) }
      }
    }
    let selected = StoredMatrix(
      storage: ByteStorage(copying: bytes), offset: 0, type: isDecoded ? .float16 : type,
      rows: rows.count, columns: columns?.count ?? self.columns)
    guard let selected else { preconditionFailure("some rows and columns are selected") }
    return selected
  }

  /// A copy in memory whose columns are in another order.
  ///
  /// - Parameter source: The column that each column of the copy was.
  /// - Returns: A matrix in plain row order.
  /// - Precondition: the type is plain, and there are such columns.
  public func orderingColumns(_ source: (Int) -> Int) -> StoredMatrix {
    selecting(rows: nil, columns: (0..<columns).map(source))
  }

  /// A copy of all rows' bytes, stored in `order`.
  ///
  /// - Precondition: the order's heads divide the rows evenly.
  public func bytes(in order: RowOrder) -> [UInt8] {
    guard order != rowOrder else { return bytes }
    var sources = Array(repeating: 0, count: rows)
    for row in 0..<rows { sources[order.storedRow(row, of: rows)] = row }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(byteCount)
    for row in sources { withBytes(ofRow: row) { append($0, nil, to: &bytes) } }
    return bytes
  }

  /// Appends a row's bytes, or those of some of its elements.
  private func append(_ row: UnsafePointer<UInt8>, _ columns: [Int]?, to bytes: inout [UInt8]) {
    guard let columns else {
      bytes.append(contentsOf: UnsafeBufferPointer(start: row, count: bytesPerRow))
      return
    }
    let size = type.bytesPerBlock
    for column in columns {
      bytes.append(contentsOf: UnsafeBufferPointer(start: row + column * size, count: size))
    }
  }
}

extension StoredMatrix {
  /// Consecutive rows where they are stored; nil where rows are in another order.
  func part(rows range: Range<Int>) -> StoredMatrix? {
    guard rowOrder == .plain, let rowBytes = type.byteCount(elements: columns) else { return nil }
    return StoredMatrix(
      storage: storage, offset: offset + range.lowerBound * rowBytes, type: type,
      rows: range.count, columns: columns)
  }
}
