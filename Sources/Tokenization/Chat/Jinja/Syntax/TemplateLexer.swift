/// Cuts a template's source into tokens, with Jinja's rules for white space as transformers sets them.
///
/// A tag's own line break goes (`trim_blocks`), so does white space between a line's start and a tag (`lstrip_blocks`);
/// `-` in a tag takes all white space on its side, `+` keeps it. Reads every character a bounded number of times.
struct TemplateLexer {
  /// Most bytes of a template; those of models have at most some 30 000.
  static let lengthLimit = 256 << 10
  /// Most characters of a name: looking one up takes as long as it is.
  static let nameLimit = 1000

  let source: [UInt32]
  var place = 0
  var line = 1
  var tokens: [TemplateToken] = []
  /// Whether what was read last ended a line, or nothing was read.
  var startsLine = true

  private init(_ source: String) {
    var scalars: [UInt32] = []
    var previous: UInt32 = 0
    for scalar in source.unicodeScalars.lazy.map(\.value) {
      // Line breaks are line feeds from here on.
      if scalar != 0x0a || previous != 0x0d { scalars.append(scalar == 0x0d ? 0x0a : scalar) }
      previous = scalar
    }
    if scalars.last == 0x0a { scalars.removeLast() }
    self.source = scalars
  }

  /// The tokens of `source`, an ``TemplateToken/Kind/end`` at last.
  static func tokens(of source: String) throws(ChatTemplateError) -> [TemplateToken] {
    guard source.utf8.count <= lengthLimit else {
      throw ChatTemplateError(line: nil, reason: "is longer than \(lengthLimit >> 10) KiB")
    }
    var lexer = TemplateLexer(source)
    while try lexer.readText() {}
    lexer.add(.end)
    return lexer.tokens
  }

  func error(_ reason: String) -> ChatTemplateError {
    ChatTemplateError(line: line, reason: reason)
  }

  mutating func add(_ kind: TemplateToken.Kind) {
    tokens.append(TemplateToken(kind: kind, line: line))
  }

  /// Whether `text` stands at a place.
  func holds(_ text: String, at place: Int) -> Bool {
    var place = place
    for scalar in text.unicodeScalars {
      guard place < source.count, source[place] == scalar.value else { return false }
      place += 1
    }
    return true
  }

  mutating func advance(to end: Int) {
    line += source[place..<end].count { $0 == 0x0a }
    if end > place { startsLine = source[end - 1] == 0x0a }
    place = end
  }

  func spaces(from start: Int) -> Int {
    var end = start
    while end < source.count, TemplateText.isSpace(source[end]) { end += 1 }
    return end
  }

  // MARK: - Text and what opens a tag

  private static let openings = [0x7b, 0x25, 0x23] as [UInt32]

  /// Reads text up to a tag, then the tag; false at the end.
  private mutating func readText() throws(ChatTemplateError) -> Bool {
    guard place < source.count else { return false }
    var next = place
    while next < source.count,
      source[next] != 0x7b || next + 1 == source.count
        || !Self.openings.contains(source[next + 1])
    { next += 1 }
    guard next < source.count else {
      addText(upTo: next)
      advance(to: next)
      return false
    }
    let kind = source[next + 1]
    var content = next + 2
    let sign = content < source.count ? source[content] : 0
    let (minus, plus) = (UInt32(0x2d), UInt32(0x2b))
    if sign == minus || sign == plus { content += 1 }
    let end: Int
    if sign == minus {
      var start = next
      while start > place, TemplateText.isSpace(source[start - 1]) { start -= 1 }
      end = start
    } else if sign != plus, kind != 0x7b {
      end = startOfIndent(before: next)
    } else {
      end = next
    }
    addText(upTo: end)
    advance(to: content)
    switch kind {
    case 0x7b: try readTag(.printBegin)
    case 0x23: try readComment()
    default:
      if let raw = endOfRawTag(from: place) {
        advance(to: raw)
        try readRaw()
      } else {
        try readTag(.tagBegin)
      }
    }
    return true
  }

  private mutating func addText(upTo end: Int) {
    if end > place { add(.data(TemplateText(elements: source[place..<end]))) }
  }

  /// Where the white space starts that stands alone between a line's start and `end`; `end` if something else does too.
  private func startOfIndent(before end: Int) -> Int {
    var start = end
    while start > place, source[start - 1] != 0x0a, TemplateText.isSpace(source[start - 1]) {
      start -= 1
    }
    let isLineStart = start > place ? source[start - 1] == 0x0a : startsLine
    return isLineStart ? start : end
  }

  /// What comes after the closing mark at `end`: its `-` took white space, its own line break goes unless it is kept.
  private func trimmed(from end: Int, sign: UInt32) -> Int {
    if sign == 0x2d { return spaces(from: end) }
    if sign != 0x2b, end < source.count, source[end] == 0x0a { return end + 1 }
    return end
  }

  private mutating func readComment() throws(ChatTemplateError) {
    var end = place
    while end + 1 < source.count, !holds("#}", at: end) { end += 1 }
    guard holds("#}", at: end) else { throw error("a comment has no end") }
    let sign = end > place ? source[end - 1] : 0
    advance(to: trimmed(from: end + 2, sign: sign))
  }

  /// The end of `raw %}` at `start`; nil if another tag stands there.
  private func endOfRawTag(from start: Int) -> Int? {
    let name = spaces(from: start)
    guard holds("raw", at: name) else { return nil }
    let end = spaces(from: name + 3)
    if holds("-%}", at: end) { return spaces(from: end + 3) }
    return holds("%}", at: end) ? end + 2 : nil
  }

  /// Reads text up to `endraw`.
  private mutating func readRaw() throws(ChatTemplateError) {
    var next = place
    while next < source.count {
      if holds("{%", at: next) {
        let sign = next + 2 < source.count ? source[next + 2] : 0
        let isSigned = sign == 0x2d || sign == 0x2b
        let name = spaces(from: next + (isSigned ? 3 : 2))
        if holds("endraw", at: name) {
          var end = spaces(from: name + 6)
          let closing = end < source.count ? source[end] : 0
          if closing == 0x2d || closing == 0x2b { end += 1 }
          if holds("%}", at: end) {
            var start = next
            if sign == 0x2d {
              while start > place, TemplateText.isSpace(source[start - 1]) { start -= 1 }
            } else if sign != 0x2b {
              start = startOfIndent(before: next)
            }
            addText(upTo: start)
            advance(to: trimmed(from: end + 2, sign: closing))
            return
          }
        }
      }
      next += 1
    }
    throw error("a raw block has no end")
  }

  // MARK: - Inside a tag

  private mutating func readTag(_ opening: TemplateToken.Kind) throws(ChatTemplateError) {
    add(opening)
    let isPrint = opening == .printBegin
    let closing = isPrint ? "}}" : "%}"
    var brackets: [String] = []
    while true {
      if brackets.isEmpty {
        let sign = place < source.count ? source[place] : 0
        let isSigned = sign == 0x2d || (sign == 0x2b && !isPrint)
        let end = place + (isSigned ? 1 : 0)
        if holds(closing, at: end) {
          add(isPrint ? .printEnd : .tagEnd)
          let after = end + 2
          advance(
            to: isPrint
              ? (sign == 0x2d ? spaces(from: after) : after)
              : trimmed(from: after, sign: isSigned ? sign : 0))
          return
        }
      }
      guard place < source.count else { throw error("a tag has no end") }
      if TemplateText.isSpace(source[place]) {
        advance(to: spaces(from: place))
        continue
      }
      try readToken()
      if case .mark(let mark) = tokens[tokens.count - 1].kind {
        switch mark {
        case "(": brackets.append(")")
        case "[": brackets.append("]")
        case "{": brackets.append("}")
        case ")", "]", "}":
          guard brackets.popLast() == mark else { throw error("unexpected \(mark)") }
        default: break
        }
      }
    }
  }
}
