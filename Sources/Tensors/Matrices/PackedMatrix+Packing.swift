import CKernels

extension PackedMatrix {
  /// Packs codes row by row into words, as ``PackedMatrix`` lays them out.
  ///
  /// - Precondition: there are `rows * columns` codes, each below `2^bits`; bits are 1 to 8.
  /// - Returns: `rows * ceil(columns * bits / 32)` words.
  public static func pack(codes: [UInt8], rows: Int, columns: Int, bits: Int) -> [UInt32] {
    precondition(codes.count == rows * columns && (1...8).contains(bits))
    let wordsPerRow = (columns * bits + 31) / 32
    return [UInt32](unsafeUninitializedCapacity: rows * wordsPerRow) { words, initialized in
      codes.withUnsafeBufferPointer { codes in
        if let source = codes.baseAddress, let destination = words.baseAddress {
          for row in 0..<rows {
            vk_pack_codes(
              source + row * columns, columns, UInt32(bits), destination + row * wordsPerRow)
          }
        }
      }
      initialized = rows * wordsPerRow
    }
  }

  /// Reads back what ``pack(codes:rows:columns:bits:)`` packed.
  ///
  /// - Precondition: there are `rows * ceil(columns * bits / 32)` words; bits are 1 to 8.
  /// - Returns: `rows * columns` codes.
  public static func unpack(words: [UInt32], rows: Int, columns: Int, bits: Int) -> [UInt8] {
    let wordsPerRow = (columns * bits + 31) / 32
    precondition(words.count == rows * wordsPerRow && (1...8).contains(bits))
    return [UInt8](unsafeUninitializedCapacity: rows * columns) { codes, initialized in
      words.withUnsafeBufferPointer { words in
        if let source = words.baseAddress, let destination = codes.baseAddress {
          for row in 0..<rows {
            vk_unpack_codes(
              source + row * wordsPerRow, columns, UInt32(bits), destination + row * columns)
          }
        }
      }
      initialized = rows * columns
    }
  }

  /// The codes of all rows, one byte each.
  public func unpackedCodes() -> [UInt8] {
    Self.unpack(words: codes, rows: rows, columns: columns, bits: bits)
  }

  /// The zero points as compressed-tensors stores them: each column of groups is one bitstream down
  /// the rows, so that word w of group g lies at `w * groupsPerRow + g`; nil unless it has points.
  public func packedZeroPoints() -> [UInt32]? {
    guard case .points(let points) = zeros else { return nil }
    let groups = groupsPerRow
    let wordsPerColumn = (rows * bits + 31) / 32
    var packed = [UInt32](repeating: 0, count: wordsPerColumn * groups)
    for group in 0..<groups {
      let column = (0..<rows).map { points[$0 * groups + group] }
      let words = Self.pack(codes: column, rows: 1, columns: rows, bits: bits)
      for (index, word) in words.enumerated() { packed[index * groups + group] = word }
    }
    return packed
  }
}
