/// Turns tokens into text as they come, never showing half a character.
public struct TextStream: Sendable {
  private let tokenizer: Tokenizer
  private let skipsSpecialTokens: Bool
  private var pending: [UInt8] = []

  public init(_ tokenizer: Tokenizer, skipsSpecialTokens: Bool = true) {
    self.tokenizer = tokenizer
    self.skipsSpecialTokens = skipsSpecialTokens
  }

  /// The text that this token completes, maybe none.
  public mutating func append(_ id: Int) -> String {
    if skipsSpecialTokens && tokenizer.isSpecial(id) { return "" }
    pending += tokenizer.bytes(of: id)
    let complete = pending.count - Self.incompleteSuffix(of: pending)
    defer { pending.removeFirst(complete) }
    return String(decoding: pending[..<complete], as: UTF8.self)
  }

  /// The rest: U+FFFD where a character was left incomplete.
  public mutating func finish() -> String {
    defer { pending = [] }
    return String(decoding: pending, as: UTF8.self)
  }

  /// Bytes at the end that more bytes could complete to a character.
  private static func incompleteSuffix(of bytes: [UInt8]) -> Int {
    for (distance, byte) in bytes.reversed().prefix(3).enumerated() where byte & 0xc0 != 0x80 {
      let length =
        switch byte {
        case 0xc2...0xdf: 2
        case 0xe0...0xef: 3
        case 0xf0...0xf4: 4
        default: 1
        }
      return distance + 1 < length ? distance + 1 : 0
    }
    return 0
  }
}
