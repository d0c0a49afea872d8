import Checkpoints

/// Places in a text over which no token reaches, though no pre-tokenizer cuts there.
///
/// Merges, and the best sequence of tokens, are then the same on both sides as in the whole.
struct WordBoundaries: Sendable {
  /// By byte: whether a token has a space mark, or a line feed, behind it.
  private var precedesMark = Array(repeating: false, count: 256)
  private var precedesLineFeed = Array(repeating: false, count: 256)
  /// By two ASCII characters: whether a token has them beside each other.
  private var touches = Array(repeating: false, count: 1 << 14)

  init(_ table: TokenTable) {
    let bytes = table.bytes
    // Without a token of its own, a mark would be part of what is unknown around it.
    if table.id(of: Normalization.spaceMark) == nil {
      precedesMark = Array(repeating: true, count: 256)
    }
    for id in table.indices {
      let range = table.byteRange(of: id)
      guard range.count > 1 else { continue }
      for place in range.lowerBound + 1..<range.upperBound {
        if bytes[place] < 0x80, bytes[place - 1] < 0x80 {
          touches[Int(bytes[place - 1]) << 7 | Int(bytes[place])] = true
        }
        switch bytes[place] {
        case 0xe2 where SpaceMark.begins(bytes, place..<range.upperBound):
          precedesMark[Int(bytes[place - 1])] = true
        // Tokens of byte-level BPE and those that are found in the text as it is have no marks.
        case UInt8(ascii: " "): precedesMark[Int(bytes[place - 1])] = true
        case UInt8(ascii: "\n"): precedesLineFeed[Int(bytes[place - 1])] = true
        default: break
        }
      }
    }
  }

  /// Cuts words before space marks.
  func cut(_ words: [Range<Int>], of text: [UInt8]) -> [Range<Int>] {
    SpaceMark.cut(words, of: text) { !precedesMark[Int($0)] }
  }

  /// Whether no token has two characters beside each other; known of what ASCII shows, and not of two digits, which
  /// pre-tokenizers count.
  func separates(_ left: UInt8, _ right: UInt8) -> Bool {
    let isDigits = [left, right].allSatisfy { (0x30...0x39).contains($0) }
    return (0x21...0x7e).contains(left) && (0x21...0x7e).contains(right) && !isDigits
      && !touches[Int(left) << 7 | Int(right)]
  }

  /// Whether a text can be cut between an ASCII letter and the line feed behind it.
  func allowsLineCut(behind byte: UInt8) -> Bool { !precedesLineFeed[Int(byte)] }
}
