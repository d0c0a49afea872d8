import Checkpoints

/// Finds words by hand as a published pattern does, many times faster than the pattern itself.
///
/// Each method below is one pattern, its alternatives in their order.
struct WordCutter: Sendable {
  private enum Form: Sendable {
    case gpt2
    /// Llama 3's pattern and its relatives.
    case llama3(digits: Int, letters: ScalarKinds)
    /// OpenAI's o200k and its relatives.
    case o200k(digits: Int, contractions: Bool)
  }

  private let form: Form

  /// The cutter for a pattern; nil if there is none. All of a text is words to these patterns.
  init?(_ pattern: String) {
    switch pattern {
    case PreTokenizer.gpt2Pattern: form = .gpt2
    case PreTokenizer.llama3Pattern: form = .llama3(digits: 3, letters: .letters)
    case PreTokenizer.qwen2Pattern: form = .llama3(digits: 1, letters: .letters)
    case PreTokenizer.qwen35Pattern: form = .llama3(digits: 1, letters: [.letters, .marks])
    case PreTokenizer.o200kPattern: form = .o200k(digits: 3, contractions: true)
    case PreTokenizer.tekkenPattern: form = .o200k(digits: 1, contractions: false)
    default: return nil
    }
  }

  /// The end of the word that starts at byte `start` of a text that ends at `end`.
  ///
  /// - Precondition: `start < end`.
  func endOfWord(in text: TextScanner, from start: Int, to end: Int) -> Int {
    switch form {
    case .gpt2: Self.gpt2(text, start, end)
    case .llama3(let digits, let letters): Self.llama3(text, start, end, digits, letters)
    case .o200k(let digits, let contractions): Self.o200k(text, start, end, digits, contractions)
    }
  }

  // MARK: - 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+

  private static func gpt2(_ text: TextScanner, _ start: Int, _ end: Int) -> Int {
    if let end = contraction(text, start, end, ignoresCase: false) { return end }
    let first = text.scalar(at: start)
    if !first.kinds.contains(.space) { return endOfClass(text, first.kinds, first.end, end) }
    if text.isSpace(at: start), first.end < end {
      let second = text.scalar(at: first.end)
      if !second.kinds.contains(.space) {
        return endOfClass(text, second.kinds, second.end, end)
      }
    }
    return endOfSpaces(text, start, end)
  }

  /// The end of a run of letters, digits, or all else but white space.
  @inline(__always)
  private static func endOfClass(
    _ text: TextScanner, _ kinds: ScalarKinds, _ start: Int, _ end: Int
  ) -> Int {
    if !kinds.isDisjoint(with: .letters) { return text.endOfRun(of: .letters, from: start, to: end) }
    if !kinds.isDisjoint(with: .numbers) { return text.endOfRun(of: .numbers, from: start, to: end) }
    return text.endOfRun(ofNone: [.letters, .numbers, .space], from: start, to: end)
  }

  /// White space that ends the text, or all of it but the last character.
  private static func endOfSpaces(_ text: TextScanner, _ start: Int, _ end: Int) -> Int {
    let run = text.spaces(from: start, to: end)
    return run.end == end || run.last == start ? run.end : run.last
  }

  // MARK: - (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[letters]+|\p{N}{1,digits}
  // MARK: | ?[^\s[letters]\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+

  private static func llama3(
    _ text: TextScanner, _ start: Int, _ end: Int, _ digits: Int, _ letters: ScalarKinds
  ) -> Int {
    if let end = contraction(text, start, end, ignoresCase: true) { return end }
    let first = text.scalar(at: start)
    // A mark may stand before a word like any sign, so it is asked for after what follows it.
    if !first.kinds.isDisjoint(with: .letters) {
      return text.endOfRun(of: letters, from: first.end, to: end)
    }
    if !first.kinds.isDisjoint(with: .numbers) {
      return endOfDigits(text, first.end, end, limit: digits)
    }
    if first.end < end, !first.kinds.contains(.lineEnd) {
      let second = text.scalar(at: first.end)
      if !second.kinds.isDisjoint(with: letters) {
        return text.endOfRun(of: letters, from: second.end, to: end)
      }
    }
    if !first.kinds.isDisjoint(with: letters) { return first.end }
    return endOfRest(text, start, first, end, notSymbols: [letters, .numbers, .space]) {
      $0.kinds.contains(.lineEnd)
    }
  }

  private static func endOfDigits(
    _ text: TextScanner, _ index: Int, _ end: Int, limit: Int
  ) -> Int {
    var place = index
    for _ in 1..<limit where place < end {
      let next = text.scalar(at: place)
      guard !next.kinds.isDisjoint(with: .numbers) else { break }
      place = next.end
    }
    return place
  }

  /// The last alternatives: signs with what may trail them, then white space.
  @inline(__always)
  private static func endOfRest(
    _ text: TextScanner, _ start: Int, _ first: (kinds: ScalarKinds, end: Int), _ end: Int,
    notSymbols: ScalarKinds, mayTrail: ((kinds: ScalarKinds, byte: UInt8)) -> Bool
  ) -> Int {
    var place = first.end
    var isSymbol = first.kinds.isDisjoint(with: notSymbols)
    if !isSymbol, text.isSpace(at: start), first.end < end {
      let second = text.scalar(at: first.end)
      if second.kinds.isDisjoint(with: notSymbols) { (isSymbol, place) = (true, second.end) }
    }
    guard isSymbol else {
      if let lineEnd = text.spaces(from: start, to: end).lineEnd { return lineEnd }
      return endOfSpaces(text, start, end)
    }
    place = text.endOfRun(ofNone: notSymbols, from: place, to: end)
    while place < end {
      let next = text.scalar(at: place)
      guard mayTrail((next.kinds, text.bytes[place])) else { break }
      place = next.end
    }
    return place
  }

  // MARK: - [^\r\n\p{L}\p{N}]?[upper]*[lower]+(contraction)?|[^\r\n\p{L}\p{N}]?[upper]+[lower]*(contraction)?
  // MARK: |\p{N}{1,digits}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+

  private static func o200k(
    _ text: TextScanner, _ start: Int, _ end: Int, _ digits: Int, _ contractions: Bool
  ) -> Int {
    let first = text.scalar(at: start)
    let mayPrecede = first.kinds.isDisjoint(with: [.letters, .numbers, .lineEnd])
    // The sign before a word is taken if a word follows; a mark is a word by itself, too, and before capitals the
    // first alternative takes it alone.
    var word = mayPrecede ? casedWord(text, first.end, end) : nil
    if word == nil || (word?.isCapitals == true && !first.kinds.isDisjoint(with: .marks)) {
      word = casedWord(text, start, end)
    }
    if let word {
      guard contractions, word.end < end else { return word.end }
      return contraction(text, word.end, end, ignoresCase: true) ?? word.end
    }
    if !first.kinds.isDisjoint(with: .numbers) {
      return endOfDigits(text, first.end, end, limit: digits)
    }
    return endOfRest(text, start, first, end, notSymbols: [.letters, .numbers, .space]) {
      $0.kinds.contains(.lineEnd) || $0.byte == UInt8(ascii: "/")
    }
  }

  /// Upper case, then lower case; letters without case and marks count as either. Nil if there is no letter.
  private static func casedWord(
    _ text: TextScanner, _ start: Int, _ end: Int
  ) -> (end: Int, isCapitals: Bool)? {
    let uncased: ScalarKinds = [.uncased, .marks]
    let upper = text.endOfRun(of: [.upper, .title, uncased], from: start, to: end)
    let lower = text.endOfRun(of: [.lower, uncased], from: upper, to: end)
    if lower > upper { return (lower, false) }
    guard upper > start else { return nil }
    // The first alternative wants a lower-case letter at last: the last one without case serves as that.
    var place = upper
    while place > start {
      let last = text.scalarBefore(place)
      if !text.scalar(at: last).kinds.isDisjoint(with: uncased) { return (place, false) }
      place = last
    }
    return (upper, true)
  }

  /// The end of an English contraction at `start`, such as `'ll`; nil if there is none.
  @inline(__always)
  private static func contraction(
    _ text: TextScanner, _ start: Int, _ end: Int, ignoresCase: Bool
  ) -> Int? {
    let bytes = text.bytes
    guard bytes[start] == UInt8(ascii: "'"), start + 1 < end else { return nil }
    // The long s is an s to patterns that ignore case.
    if ignoresCase, bytes[start + 1..<end].starts(with: "\u{17f}".utf8) { return start + 3 }
    let toLower: UInt8 = ignoresCase ? 0x20 : 0
    switch bytes[start + 1] | toLower {
    case UInt8(ascii: "s"), UInt8(ascii: "t"), UInt8(ascii: "m"), UInt8(ascii: "d"):
      return start + 2
    case UInt8(ascii: "r"), UInt8(ascii: "v"):
      return start + 2 < end && bytes[start + 2] | toLower == UInt8(ascii: "e") ? start + 3 : nil
    case UInt8(ascii: "l"):
      return start + 2 < end && bytes[start + 2] | toLower == UInt8(ascii: "l") ? start + 3 : nil
    default: return nil
    }
  }
}
