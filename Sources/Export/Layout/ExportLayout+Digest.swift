extension ExportLayout {
  /// A number that another layout, or another `purpose`, has only by chance: 64-bit FNV-1a (Fowler, Noll, Vo).
  ///
  /// - Parameter purpose: all that the tensors' elements come from.
  /// - Returns: 16 hexadecimal digits.
  public func digest(of purpose: String) -> String {
    var hash = FNV1a()
    hash.add(purpose)
    for file in files {
      hash.add(file.name)
      hash.add(file.byteCount)
      hash.add(file.header)
      for tensor in file.tensors {
        hash.add(tensor.name)
        hash.add(tensor.type)
        for size in tensor.shape { hash.add(size) }
        hash.add(tensor.offset)
        hash.add(tensor.byteCount)
      }
    }
    for copy in copies {
      hash.add(copy.name)
      hash.add(copy.byteCount)
    }
    let digits = String(hash.value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}

private struct FNV1a {
  private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

  mutating func add(_ text: String) { add(Array(text.utf8)) }

  mutating func add(_ number: Int) {
    for byte in 0..<8 { add(UInt8(truncatingIfNeeded: number >> (8 * byte))) }
  }

  /// Adds bytes and how many they are, so that what follows cannot be taken for them.
  mutating func add(_ bytes: [UInt8]) {
    add(bytes.count)
    for byte in bytes { add(byte) }
  }

  private mutating func add(_ byte: UInt8) {
    value = (value ^ UInt64(byte)) &* 0x0000_0100_0000_01b3
  }
}
