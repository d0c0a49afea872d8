/// GPT-2's way to write arbitrary bytes as visible characters: tokens are spelt in this alphabet.
///
/// Bytes that print in Latin-1 stand for themselves; the others, in order, are U+0100 and up.
enum ByteAlphabet {
  private static let printable: Set<UInt8> = Set([0x21...0x7e, 0xa1...0xac, 0xae...0xff].joined())

  private static let byteOfScalar: [Unicode.Scalar: UInt8] = {
    var table: [Unicode.Scalar: UInt8] = [:]
    var next: UInt16 = 0x100
    for byte in UInt8.min...UInt8.max {
      if printable.contains(byte) {
        table[Unicode.Scalar(byte)] = byte
      } else if let scalar = Unicode.Scalar(next) {
        table[scalar] = byte
        next += 1
      }
    }
    return table
  }()

  /// The bytes that `token` spells; its own UTF-8 if it is not written in the alphabet.
  static func bytes(of token: String) -> [UInt8] {
    var bytes: [UInt8] = []
    for scalar in token.unicodeScalars {
      guard let byte = byteOfScalar[scalar] else { return Array(token.utf8) }
      bytes.append(byte)
    }
    return bytes
  }
}
