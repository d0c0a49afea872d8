// MARK: - Names, numbers, strings and marks

extension TemplateLexer {
  private static let marks = [
    "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}",
    "<", ">", "=", ".", ":", "|", ",", ";",
  ]

  /// Reads one token that is no white space.
  mutating func readToken() throws(ChatTemplateError) {
    let first = source[place]
    if Self.isDigit(first), try readNumber() { return }
    if Self.isNamePart(first) {
      var end = place
      while end < source.count, Self.isNamePart(source[end]) { end += 1 }
      guard end - place <= Self.nameLimit else { throw error("a name is too long") }
      let name = TemplateText(elements: source[place..<end])
      guard name.isIdentifier else { throw error("\(name.string) is no name") }
      add(.name(name.string))
      advance(to: end)
      return
    }
    if first == 0x22 || first == 0x27 { return try readString() }
    guard let mark = Self.marks.first(where: { holds($0, at: place) }) else {
      throw error("unexpected character \(TemplateText.scalar(first))")
    }
    add(.mark(mark))
    advance(to: place + mark.utf8.count)
  }

  private static func isDigit(_ scalar: UInt32) -> Bool { (0x30...0x39).contains(scalar) }

  private static func isNamePart(_ scalar: UInt32) -> Bool {
    if scalar < 0x80 {
      return isDigit(scalar) || (0x61...0x7a).contains(scalar | 0x20) || scalar == 0x5f
    }
    let properties = TemplateText.scalar(scalar).properties
    return TemplateText.isLetter(properties) || properties.numericType != nil
      || properties.isXIDContinue
  }

  /// Digits that may be apart by single underscores.
  private func digits(from start: Int, _ isDigit: (UInt32) -> Bool = Self.isDigit) -> Int {
    var end = start
    while end < source.count,
      isDigit(source[end])
        || (source[end] == 0x5f && end > start && end + 1 < source.count
          && isDigit(source[end + 1]))
    { end += 1 }
    return end
  }

  /// Reads a number; false if it is none after all.
  private mutating func readNumber() throws(ChatTemplateError) -> Bool {
    func spelled(_ range: Range<Int>) -> String {
      TemplateText(elements: source[range].filter { $0 != 0x5f }).string
    }
    let bases: [(String, Int)] = [("0x", 16), ("0o", 8), ("0b", 2)]
    for (prefix, radix) in bases
    where holds(prefix, at: place) || holds(prefix.uppercased(), at: place) {
      let end = digits(from: place + 2) {
        TemplateText.scalar($0).properties.isASCIIHexDigit
          && Int(String(TemplateText.scalar($0)), radix: radix) != nil
      }
      guard end > place + 2 else { return false }
      guard let value = Int(spelled(place + 2..<end), radix: radix) else {
        throw error("a number is too large")
      }
      add(.integer(value))
      advance(to: end)
      return true
    }
    let whole = digits(from: place)
    var end = whole
    // In `x.0.1` the parts are indices.
    let isIndex = place > 0 && source[place - 1] == 0x2e
    if !isIndex {
      if end + 1 < source.count, source[end] == 0x2e, Self.isDigit(source[end + 1]) {
        end = digits(from: end + 1)
      }
      if end < source.count, source[end] | 0x20 == 0x65 {
        var exponent = end + 1
        if exponent < source.count, source[exponent] == 0x2b || source[exponent] == 0x2d {
          exponent += 1
        }
        if exponent < source.count, Self.isDigit(source[exponent]) {
          end = digits(from: exponent)
        }
      }
    }
    if end > whole {
      guard let value = Double(spelled(place..<end)) else { throw error("a number is malformed") }
      add(.number(value))
    } else {
      guard let value = Int(spelled(place..<end)) else { throw error("a number is too large") }
      add(.integer(value))
    }
    advance(to: end)
    return true
  }

  private mutating func readString() throws(ChatTemplateError) {
    let quote = source[place]
    var text: [UInt32] = []
    var next = place + 1
    while next < source.count, source[next] != quote {
      if source[next] == 0x5c {
        next = try readEscape(at: next + 1, into: &text)
      } else {
        text.append(source[next])
        next += 1
      }
    }
    guard next < source.count else { throw error("a string has no end") }
    add(.string(TemplateText(elements: text)))
    advance(to: next + 1)
  }

  /// Reads what follows a backslash, as in Python's strings.
  private func readEscape(
    at start: Int, into text: inout [UInt32]
  ) throws(ChatTemplateError) -> Int {
    guard start < source.count else { throw error("a string has no end") }
    let simple: [UInt32: UInt32] = [
      0x5c: 0x5c, 0x27: 0x27, 0x22: 0x22, 0x61: 0x07, 0x62: 0x08, 0x66: 0x0c, 0x6e: 0x0a,
      0x72: 0x0d, 0x74: 0x09, 0x76: 0x0b,
    ]
    let letter = source[start]
    if let scalar = simple[letter] {
      text.append(scalar)
      return start + 1
    }
    if letter == 0x0a { return start + 1 }
    func number(_ start: Int, _ count: Int, radix: Int) throws(ChatTemplateError) -> UInt32 {
      let digits = TemplateText(elements: source[start..<min(start + count, source.count)]).string
      guard digits.unicodeScalars.count == count, let value = UInt32(digits, radix: radix),
        Unicode.Scalar(value) != nil
      else { throw error("a string has an escape that is no character") }
      return value
    }
    switch letter {
    case 0x78:
      text.append(try number(start + 1, 2, radix: 16))
      return start + 3
    case 0x75:
      text.append(try number(start + 1, 4, radix: 16))
      return start + 5
    case 0x55:
      text.append(try number(start + 1, 8, radix: 16))
      return start + 9
    case 0x30...0x37:
      var end = start
      while end < source.count, end < start + 3, (0x30...0x37).contains(source[end]) { end += 1 }
      text.append(try number(start, end - start, radix: 8))
      return end
    case 0x4e: throw error("a string names a character, which this version does not know")
    default:
      text += [0x5c, letter]
      return start + 1
    }
  }
}
