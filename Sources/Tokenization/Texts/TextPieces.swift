/// Cuts a long text where no tokenizer's word goes on, so that it can be encoded piece by piece.
///
/// Every pre-tokenizer that byte-level BPE models use ends a word between an ASCII letter and a line
/// feed: the ids of the pieces, one after the other, are the ids of the whole.
public struct TextPieces: Sendable {
  /// Bytes of a piece, unless there is no place to cut: encoded in some milliseconds.
  public static let size = 16 << 10

  private let bytes: [UInt8]
  private var start = 0

  /// The pieces of a UTF-8 text.
  public init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// The next piece; nil at the end.
  public mutating func next() -> String? {
    guard start < bytes.count else { return nil }
    var end = min(start + Self.size, bytes.count)
    while end < bytes.count, !isCut(end) { end += 1 }
    defer { start = end }
    return String(decoding: bytes[start..<end], as: UTF8.self)
  }

  private func isCut(_ place: Int) -> Bool {
    let isLetter = (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(bytes[place - 1] | 0x20)
    return isLetter && bytes[place] == UInt8(ascii: "\n")
  }
}
