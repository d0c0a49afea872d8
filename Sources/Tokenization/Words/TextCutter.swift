import Checkpoints

/// Cuts text into words, one cut after the other.
struct TextCutter: Sendable {
  private enum Step: Sendable {
    case split(Finder, PreTokenizer.SplitBehavior, isInverted: Bool)
    case prefixSpace
    case metaspace(PreTokenizer.SpacePrefix, splits: Bool)
  }

  /// What finds the matches that a text is cut at.
  private enum Finder: Sendable {
    case words(WordCutter)
    case pattern(Pattern)
    case literal([UInt8])
  }

  private let steps: [Step]
  /// Whether every cut is one that was written by hand, and thus known to end words before line ends.
  let isKnown: Bool

  /// Compiles the cuts of a pre-tokenizer.
  ///
  /// - Throws: ``TokenizerError`` that names a pattern which is not read.
  init(_ preTokenizer: PreTokenizer, source: String) throws(TokenizerError) {
    var steps: [Step] = []
    var isKnown = true
    for cut in preTokenizer.cuts {
      switch cut {
      case .prefixSpace: steps.append(.prefixSpace)
      case .metaspace(let prefix, let splits): steps.append(.metaspace(prefix, splits: splits))
      case .literal(let text, let behavior, let isInverted):
        steps.append(.split(.literal(Array(text.utf8)), behavior, isInverted: isInverted))
      case .split(let text, let behavior, let isInverted):
        let words = WordCutter(text)
        isKnown = isKnown && (words != nil || Self.endsBeforeLines.contains(text))
        let finder: Finder = if let words { .words(words) } else { try Self.compiled(text, source) }
        steps.append(.split(finder, behavior, isInverted: isInverted))
      }
    }
    self.steps = steps
    self.isKnown = isKnown
  }

  /// Patterns that never take a letter and the line end behind it for one word.
  private static let endsBeforeLines: Set<String> = {
    let named = PreTokenizer.ggufNames.flatMap(\.preTokenizer.cuts)
    let all = named + PreTokenizer.ggufDefault.cuts + PreTokenizer.lines.cuts
    let steps = [
      " +", #"\s+"#, PreTokenizer.whitespacePattern, PreTokenizer.punctuationPattern,
    ]
    return Set(all.compactMap { if case .split(let text, _, _) = $0 { text } else { nil } } + steps)
  }()

  private static func compiled(
    _ text: String, _ source: String
  ) throws(TokenizerError) -> Finder {
    do {
      return .pattern(try Pattern(text))
    } catch {
      throw TokenizerError(
        source: source, reason: "cuts words by a pattern that \(error.reason): \(text.prefix(300))")
    }
  }

  /// What a part of a text begins.
  enum Beginning: Sendable {
    case text
    /// What follows an added token.
    case segment
    /// It goes on a longer text.
    case nothing
  }

  /// The words of the text in `range`, and the text that they lie in, which may have got space marks.
  func words(
    of text: TextScanner, _ range: Range<Int>, _ beginning: Beginning
  ) -> (text: TextScanner, words: [Range<Int>]) {
    var (text, pieces) = (text, [range])
    for step in steps {
      switch step {
      case .split(let finder, let behavior, let isInverted):
        var result: [Range<Int>] = []
        result.reserveCapacity(pieces.count + range.count / 4)
        for piece in pieces {
          Self.split(text, piece, finder, behavior, isInverted, &result)
        }
        pieces = result
      case .prefixSpace:
        (text, pieces) = Self.rewritten(text, pieces, mark: " ") { place in
          beginning != .nothing || place != range.lowerBound
        }
      case .metaspace(let prefix, let splits):
        (text, pieces) = Self.rewritten(text, pieces, mark: Normalization.spaceMark) { place in
          switch (prefix, place == range.lowerBound) {
          case (.never, _), (.first, false): false
          case (.first, true): beginning == .text
          case (.always, false): true
          case (.always, true): beginning != .nothing
          }
        }
        if splits { pieces = SpaceMark.cut(pieces, of: text.bytes) }
      }
    }
    return (text, pieces)
  }

  // MARK: - Splitting

  private static func split(
    _ text: TextScanner, _ piece: Range<Int>, _ finder: Finder,
    _ behavior: PreTokenizer.SplitBehavior, _ isInverted: Bool, _ result: inout [Range<Int>]
  ) {
    if case .words(let cutter) = finder,
      behavior == .isolated || (behavior == .removed && isInverted)
    {
      var start = piece.lowerBound
      while start < piece.upperBound {
        let end = cutter.endOfWord(in: text, from: start, to: piece.upperBound)
        result.append(start..<end)
        start = end
      }
      return
    }
    var pieces = Joiner(behavior)
    var start = piece.lowerBound
    forEachMatch(text, piece, finder) { match in
      pieces.add(start..<match.lowerBound, isMatch: isInverted, &result)
      pieces.add(match, isMatch: !isInverted, &result)
      start = match.upperBound
    }
    pieces.add(start..<piece.upperBound, isMatch: isInverted, &result)
    pieces.finish(&result)
  }

  private static func forEachMatch(
    _ text: TextScanner, _ piece: Range<Int>, _ finder: Finder, _ body: (Range<Int>) -> Void
  ) {
    switch finder {
    case .words(let cutter):
      var start = piece.lowerBound
      while start < piece.upperBound {
        let end = cutter.endOfWord(in: text, from: start, to: piece.upperBound)
        body(start..<end)
        start = end
      }
    case .pattern(let pattern):
      var matcher = PatternMatcher(pattern, in: text, piece)
      var start = piece.lowerBound
      while let match = matcher.firstMatch(from: start) {
        body(match)
        start = match.upperBound
        if match.isEmpty {
          guard start < piece.upperBound else { return }
          start = text.value(at: start).end
        }
      }
    case .literal(let literal):
      guard !literal.isEmpty, piece.count >= literal.count else { return }
      var place = piece.lowerBound
      while place + literal.count <= piece.upperBound {
        guard text.bytes[place] == literal[0],
          text.bytes[place..<place + literal.count].elementsEqual(literal)
        else {
          place += 1
          continue
        }
        body(place..<place + literal.count)
        place += literal.count
      }
    }
  }

  // MARK: - Space marks

  /// The text with `mark` for spaces, and before the pieces that should begin with one.
  private static func rewritten(
    _ text: TextScanner, _ pieces: [Range<Int>], mark: String, wantsMark: (Int) -> Bool
  ) -> (TextScanner, [Range<Int>]) {
    let mark = Array(mark.utf8)
    var bytes: [UInt8] = []
    var result: [Range<Int>] = []
    for piece in pieces {
      let place = bytes.count
      let hasMark = text.isSpace(at: piece.lowerBound) || text.bytes[piece].starts(with: mark)
      if wantsMark(piece.lowerBound), !hasMark { bytes += mark }
      for byte in text.bytes[piece] {
        if byte == UInt8(ascii: " ") { bytes += mark } else { bytes.append(byte) }
      }
      result.append(place..<bytes.count)
    }
    return (TextScanner(bytes), result)
  }
}

/// U+2581, which SentencePiece writes for a space.
enum SpaceMark {
  static let bytes = Array(Normalization.spaceMark.utf8)

  @inline(__always)
  static func begins(_ text: [UInt8], _ range: Range<Int>) -> Bool {
    range.count >= 3 && text[range.lowerBound] == 0xe2 && text[range.lowerBound + 1] == 0x96
      && text[range.lowerBound + 2] == 0x81
  }

  /// The pieces of a text cut before each mark that may be parted from the byte before it.
  @inline(__always)
  static func cut(
    _ pieces: [Range<Int>], of text: [UInt8], where isParted: (UInt8) -> Bool = { _ in true }
  ) -> [Range<Int>] {
    var result: [Range<Int>] = []
    for piece in pieces {
      var start = piece.lowerBound
      for place in piece.dropFirst()
      where text[place] == 0xe2 && isParted(text[place - 1])
        && begins(text, place..<piece.upperBound)
      {
        result.append(start..<place)
        start = place
      }
      result.append(start..<piece.upperBound)
    }
    return result
  }
}

/// Makes pieces of matches and what lies between them.
private struct Joiner {
  private let behavior: PreTokenizer.SplitBehavior
  private var open: (range: Range<Int>, isMatch: Bool)?

  init(_ behavior: PreTokenizer.SplitBehavior) { self.behavior = behavior }

  mutating func add(_ range: Range<Int>, isMatch: Bool, _ result: inout [Range<Int>]) {
    guard !range.isEmpty else { return }
    if let last = open, joins(last.isMatch, isMatch) {
      open = (last.range.lowerBound..<range.upperBound, isMatch)
      return
    }
    finish(&result)
    open = (range, isMatch)
  }

  private func joins(_ last: Bool, _ next: Bool) -> Bool {
    switch behavior {
    case .isolated, .removed: false
    case .mergedWithPrevious: next && !last
    case .mergedWithNext: last && !next
    case .contiguous: last == next
    }
  }

  mutating func finish(_ result: inout [Range<Int>]) {
    guard let open else { return }
    if behavior != .removed || !open.isMatch { result.append(open.range) }
    self.open = nil
  }
}
