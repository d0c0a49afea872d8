/// GPT-2's way to write arbitrary bytes as visible characters: tokens are spelt in this alphabet.
///
/// Bytes that print in Latin-1 stand for themselves; the others, in order, are U+0100 and up.
enum ByteAlphabet {
  private static let printable: Set<UInt8> = Set([0x21...0x7e, 0xa1...0xac, 0xae...0xff].joined())

  /// By byte.
  static let scalars: [Unicode.Scalar] = {
    var next: UInt16 = 0x100
    return (UInt8.min...UInt8.max).map { byte in
      if printable.contains(byte) { return Unicode.Scalar(byte) }
      defer { next += 1 }
      return Unicode.Scalar(next) ?? "?"
    }
  }()

  /// By scalar; nil for those that stand for no byte.
  private static let bytes: [UInt8?] = {
    var table: [UInt8?] = Array(repeating: nil, count: 0x200)
    for (byte, scalar) in scalars.enumerated() { table[Int(scalar.value)] = UInt8(byte) }
    return table
  }()

  /// The bytes that a token spells; its own UTF-8 if it is not written in the alphabet.
  static func bytes(of token: ArraySlice<UInt8>) -> [UInt8] {
    var result: [UInt8] = []
    var place = token.startIndex
    while place < token.endIndex {
      var value = Int(token[place])
      place += 1
      if value >= 0x80 {
        // The alphabet ends below U+0800: two bytes each.
        guard value & 0xe0 == 0xc0, place < token.endIndex else { return Array(token) }
        value = (value & 0x1f) << 6 | Int(token[place] & 0x3f)
        place += 1
      }
      guard value < bytes.count, let byte = bytes[value] else { return Array(token) }
      result.append(byte)
    }
    return result
  }

  /// How bytes are spelt.
  static func spelling(of bytes: some Sequence<UInt8>) -> [UInt8] {
    bytes.flatMap { String(scalars[Int($0)]).utf8 }
  }
}
