/// Cuts a long text where no tokenizer's word goes on, so that it can be encoded piece by piece.
///
/// Pre-tokenizers end a word between an ASCII letter and a line feed, and few vocabularies have a token that reaches over
/// that place: the ids of the pieces, one after the other, are the ids of the whole. A text is left whole by tokenizers of
/// which that is not known, but for very long ones, whose encoding would take some forty times their memory: they are
/// cut where no token reaches over, and at last anywhere.
public struct TextPieces: Sendable {
  /// Bytes of a piece, unless there is no place to cut: encoded in some milliseconds.
  public static let size = 16 << 10

  /// Bytes of a piece from which on it is cut between any two characters that no token joins, and anywhere.
  private static let longSizes = (anyToken: 128 << 10, anywhere: 512 << 10)

  private let bytes: [UInt8]
  private let tokenizer: Tokenizer?
  private var start = 0

  /// The pieces of a UTF-8 text.
  public init(_ bytes: [UInt8], for tokenizer: Tokenizer? = nil) {
    self.bytes = bytes
    self.tokenizer = tokenizer
  }

  /// Whether the next piece is not the first: it goes on what was encoded before.
  public var continues: Bool { start > 0 }

  /// The next piece; nil at the end.
  public mutating func next() -> String? {
    guard start < bytes.count else { return nil }
    var end = min(start + Self.size, bytes.count)
    while end < bytes.count, !isCut(end) {
      end += 1
      if end - start >= Self.longSizes.anyToken, isTokenCut(end) { break }
      if end - start >= Self.longSizes.anywhere, end < bytes.count, bytes[end] & 0xc0 != 0x80 {
        break
      }
    }
    defer { start = end }
    return String(decoding: bytes[start..<end], as: UTF8.self)
  }

  private func isTokenCut(_ place: Int) -> Bool {
    guard let tokenizer, place < bytes.count else { return false }
    return tokenizer.allowsCut(between: bytes[place - 1], and: bytes[place])
  }

  private func isCut(_ place: Int) -> Bool {
    let letter = bytes[place - 1]
    guard bytes[place] == UInt8(ascii: "\n"),
      (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(letter | 0x20)
    else { return false }
    return tokenizer?.allowsLineCut(behind: letter) ?? true
  }
}
