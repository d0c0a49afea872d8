import Checkpoints

/// Finds added tokens in a text before it is cut into words.
struct AddedTokenFinder: Sendable {
  /// A part of a text: an added token, or bytes that hold none.
  enum Part: Hashable {
    case token(Int)
    case text(Range<Int>)
  }

  private struct Candidate {
    let token: TokenizerDefinition.AddedToken
    let bytes: [UInt8]
  }

  /// By first byte, longest first; tokens that match normalized text come in a second pass.
  private let passes: [[[Candidate]]]

  init(_ tokens: [TokenizerDefinition.AddedToken]) {
    passes = [false, true].compactMap { isNormalized in
      let members = tokens.filter { $0.isNormalized == isNormalized && !$0.text.isEmpty }
      if members.isEmpty { return nil }
      var table: [[Candidate]] = Array(repeating: [], count: 256)
      for token in members {
        let bytes = Array(token.text.utf8)
        table[Int(bytes[0])].append(Candidate(token: token, bytes: bytes))
      }
      return table.map { $0.sorted { $0.bytes.count > $1.bytes.count } }
    }
  }

  /// The parts of `text`; special tokens stay text unless `allowsSpecialTokens`.
  func parts(of text: ScalarScanner, allowsSpecialTokens: Bool) -> [Part] {
    passes.reduce([.text(0..<text.bytes.count)]) { parts, table in
      parts.flatMap { part in
        guard case .text(let range) = part else { return [part] }
        return split(text, range, table, allowsSpecialTokens)
      }
    }
  }

  private func split(
    _ text: ScalarScanner, _ range: Range<Int>, _ table: [[Candidate]], _ allowsSpecial: Bool
  ) -> [Part] {
    var parts: [Part] = []
    var textStart = range.lowerBound
    var place = range.lowerBound
    while place < range.upperBound {
      let candidates = table[Int(text.bytes[place])]
      guard !candidates.isEmpty,
        let match = candidates.first(where: { Self.matches($0, text.bytes, place, range) })
      else {
        place += 1
        continue
      }
      var (start, end) = (place, place + match.bytes.count)
      place = end
      let token = match.token
      let isWanted =
        (allowsSpecial || !token.isSpecial)
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

  private static func matches(
    _ candidate: Candidate, _ bytes: [UInt8], _ place: Int, _ range: Range<Int>
  ) -> Bool {
    guard candidate.bytes.count <= range.upperBound - place else { return false }
    return bytes[place..<place + candidate.bytes.count].elementsEqual(candidate.bytes)
  }

  /// Where the scalar before `index` starts.
  private static func scalarBefore(_ text: ScalarScanner, _ index: Int) -> Int {
    var place = index - 1
    while text.bytes[place] & 0xc0 == 0x80 { place -= 1 }
    return place
  }

  /// Where the white space before `index` starts; nil if something else is there.
  private static func spaceBefore(_ text: ScalarScanner, _ index: Int) -> Int? {
    let place = scalarBefore(text, index)
    return text.scalar(at: place).kind == .space ? place : nil
  }

  private static func touchesWord(
    _ text: ScalarScanner, _ match: Range<Int>, in range: Range<Int>
  ) -> Bool {
    func isWord(_ place: Int) -> Bool {
      let kind = text.scalar(at: place).kind
      return kind == .letter || kind == .number || text.bytes[place] == UInt8(ascii: "_")
    }
    return
      (match.lowerBound > range.lowerBound && isWord(scalarBefore(text, match.lowerBound)))
      || (match.upperBound < range.upperBound && isWord(match.upperBound))
  }
}
