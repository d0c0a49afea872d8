import Checkpoints

/// Finds added tokens in a text before it is cut into words.
struct AddedTokenFinder: Sendable {
  /// A part of a text: an added token, or bytes that hold none.
  enum Part: Hashable {
    case token(Int)
    case text(Range<Int>)
  }

  private let tokens: [TokenizerDefinition.AddedToken]
  private let trie: TokenTrie<UInt8>
  /// By byte: whether a token begins with it.
  private var begins = Array(repeating: false, count: 256)

  /// Finds tokens in text that was normalized as `normalize` does.
  init(
    _ tokens: [TokenizerDefinition.AddedToken], normalize: ([UInt8]) -> [UInt8] = { $0 }
  ) {
    let texts = tokens.map { normalize(Array($0.text.utf8)) }
    self.tokens = tokens
    trie = TokenTrie(texts.enumerated().map { ($0.element[...], $0.offset) })
    for text in texts { if let first = text.first { begins[Int(first)] = true } }
  }

  /// The parts of the text in `range`; special tokens stay text unless `allowsSpecialTokens`.
  func parts(
    of text: TextScanner, _ range: Range<Int>, allowsSpecialTokens: Bool
  ) -> [Part] {
    if tokens.isEmpty { return range.isEmpty ? [] : [.text(range)] }
    var parts: [Part] = []
    var textStart = range.lowerBound
    var place = range.lowerBound
    while place < range.upperBound {
      guard begins[Int(text.bytes[place])],
        let match = trie.longestMatch(in: text.bytes, from: place, to: range.upperBound)
      else {
        place += 1
        continue
      }
      let token = tokens[match.number]
      var (start, end) = (place, match.end)
      place = end
      let isWanted =
        (allowsSpecialTokens || !token.isSpecial)
        && !(token.isSingleWord && Self.touchesWord(text, start..<end, in: range))
      guard isWanted else { continue }
      if token.stripsLeft {
        while start > textStart, let space = Self.spaceBefore(text, start) { start = space }
      }
      if token.stripsRight { end = text.spaces(from: end, to: range.upperBound).end }
      if textStart < start { parts.append(.text(textStart..<start)) }
      parts.append(.token(token.id))
      textStart = end
      place = end
    }
    if textStart < range.upperBound { parts.append(.text(textStart..<range.upperBound)) }
    return parts
  }

  /// Where the white space before `index` starts; nil if something else is there.
  private static func spaceBefore(_ text: TextScanner, _ index: Int) -> Int? {
    let place = text.scalarBefore(index)
    return text.scalar(at: place).kinds.contains(.space) ? place : nil
  }

  private static func touchesWord(
    _ text: TextScanner, _ match: Range<Int>, in range: Range<Int>
  ) -> Bool {
    func isWord(_ place: Int) -> Bool {
      !text.scalar(at: place).kinds.isDisjoint(with: [.letters, .numbers])
        || text.bytes[place] == UInt8(ascii: "_")
    }
    return
      (match.lowerBound > range.lowerBound && isWord(text.scalarBefore(match.lowerBound)))
      || (match.upperBound < range.upperBound && isWord(match.upperBound))
  }
}
