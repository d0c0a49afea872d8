/// One part of a pattern of names.
indirect enum NamePatternPart {
  case characters(NameCharacters)
  case assertion(NamePattern.Assertion)
  case sequence([NamePatternPart])
  case choice([NamePatternPart])
  /// So often; without a limit if `most` is nil.
  case repeated(NamePatternPart, least: Int, most: Int?)
  case look(NamePatternPart, isNegative: Bool)
}

/// Reads the parts of a ``NamePattern``, in the syntax that Python and most others share.
struct NamePatternParser {
  private let text: [Unicode.Scalar]
  private var position = 0
  private var depth = 0
  private var ignoresCase = false

  private static let maximumDepth = 32
  private static let maximumRepeats = 100

  init(_ text: String) { self.text = Array(text.unicodeScalars) }

  mutating func parse() throws(NamePatternError) -> NamePatternPart {
    guard text.count <= NamePattern.lengthLimit else {
      throw NamePatternError(reason: "is longer than \(NamePattern.lengthLimit) characters")
    }
    ignoresCase = take("(?i)")
    let part = try choice()
    guard position == text.count else { throw NamePatternError(reason: "has a ) too many") }
    return part
  }

  private var next: Unicode.Scalar? { position < text.count ? text[position] : nil }

  private mutating func take(_ word: String) -> Bool {
    guard text[position...].starts(with: word.unicodeScalars) else { return false }
    position += word.unicodeScalars.count
    return true
  }

  private mutating func scalar() throws(NamePatternError) -> Unicode.Scalar {
    guard let next else { throw NamePatternError(reason: "ends early") }
    position += 1
    return next
  }

  private func unread(_ what: String) -> NamePatternError {
    NamePatternError(reason: "has \(what), which is not read")
  }

  private mutating func choice() throws(NamePatternError) -> NamePatternPart {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.maximumDepth else {
      throw NamePatternError(reason: "has more than \(Self.maximumDepth) groups in one another")
    }
    var parts: [NamePatternPart] = []
    repeat { parts.append(try sequence()) } while take("|")
    return parts.count == 1 ? parts[0] : .choice(parts)
  }

  private mutating func sequence() throws(NamePatternError) -> NamePatternPart {
    var parts: [NamePatternPart] = []
    while let next, next != "|", next != ")" { parts.append(try repeated(try atom())) }
    return .sequence(parts)
  }

  private mutating func atom() throws(NamePatternError) -> NamePatternPart {
    if next == "(" { return try group() }
    switch try scalar() {
    case "^": return .assertion(.start)
    case "$": return .assertion(.end)
    case ".": return .characters(.any)
    case "[": return .characters(cased(try brackets()))
    case "\\": return try escape()
    case "*", "+", "?": throw NamePatternError(reason: "repeats nothing")
    case let literal:
      return .characters(cased(NameCharacters(ranges: [literal...literal])))
    }
  }

  private func cased(_ characters: NameCharacters) -> NameCharacters {
    ignoresCase ? characters.ignoringCase : characters
  }

  private mutating func group() throws(NamePatternError) -> NamePatternPart {
    var look: Bool?
    if take("(?=") {
      look = false
    } else if take("(?!") {
      look = true
    } else if take("(?<=") || take("(?<!") {
      throw unread("a lookbehind")
    } else if take("(?P<") || take("(?<") {
      while try scalar() != ">" {}
    } else if !take("(?:") {
      if take("(?") { throw unread("a group (?\(next.map(String.init) ?? "")") }
      position += 1
    }
    let part = try choice()
    guard take(")") else { throw NamePatternError(reason: "lacks a )") }
    return if let look { .look(part, isNegative: look) } else { part }
  }

  // MARK: Repetition

  private mutating func repeated(
    _ part: NamePatternPart
  ) throws(NamePatternError) -> NamePatternPart {
    guard let (least, most) = try bounds() else { return part }
    // A lazy repetition matches the same names; a possessive one may not.
    _ = take("?")
    if take("+") { throw unread("a possessive repetition") }
    if try bounds() != nil { throw NamePatternError(reason: "repeats a repetition") }
    return .repeated(part, least: least, most: most)
  }

  private mutating func bounds() throws(NamePatternError) -> (least: Int, most: Int?)? {
    if take("*") { return (0, nil) }
    if take("+") { return (1, nil) }
    if take("?") { return (0, 1) }
    let start = position
    guard take("{") else { return nil }
    let least = number()
    var most = least
    if take(",") { most = number() }
    guard take("}"), least != nil || most != nil else {
      // A brace that bounds nothing is a brace.
      position = start
      return nil
    }
    guard (least ?? 0) <= most ?? .max else {
      throw NamePatternError(
        reason: "repeats at least \(least ?? 0) and at most \(most ?? 0) times")
    }
    guard max(least ?? 0, most ?? 0) <= Self.maximumRepeats else {
      throw NamePatternError(reason: "repeats more than \(Self.maximumRepeats) times")
    }
    return (least ?? 0, most)
  }

  private mutating func number() -> Int? {
    var digits = ""
    while let next, ("0"..."9").contains(next), digits.count < 6 {
      digits.unicodeScalars.append(next)
      position += 1
    }
    return Int(digits)
  }

  // MARK: Classes

  private mutating func escape() throws(NamePatternError) -> NamePatternPart {
    if take("b") { return .assertion(.wordBoundary(isNegative: false)) }
    if take("B") { return .assertion(.wordBoundary(isNegative: true)) }
    if take("A") { return .assertion(.start) }
    if take("Z") || take("z") { return .assertion(.end) }
    return .characters(cased(try escaped()))
  }

  /// What a backslash and the next character stand for.
  private mutating func escaped() throws(NamePatternError) -> NameCharacters {
    let letter = try scalar()
    switch letter {
    case "d": return .digits
    case "D": return NameCharacters.digits.inverted
    case "w": return .words
    case "W": return NameCharacters.words.inverted
    case "s": return .spaces
    case "S": return NameCharacters.spaces.inverted
    case "t": return NameCharacters(ranges: ["\t"..."\t"])
    case "n": return NameCharacters(ranges: ["\n"..."\n"])
    case "r": return NameCharacters(ranges: ["\r"..."\r"])
    case "0"..."9": throw unread("a back reference")
    case let other where NameCharacters.words.contains(other) && other != "_":
      throw unread("\\\(other)")
    default: return NameCharacters(ranges: [letter...letter])
    }
  }

  /// The class behind a bracket that was read.
  private mutating func brackets() throws(NamePatternError) -> NameCharacters {
    let isInverted = take("^")
    var result = NameCharacters(ranges: [])
    var isFirst = true
    while isFirst || !take("]") {
      isFirst = false
      guard next != nil else { throw NamePatternError(reason: "lacks a ]") }
      let (first, characters) = try bracketPart()
      guard let first, next == "-", position + 1 < text.count, text[position + 1] != "]" else {
        guard !characters.isInverted else { throw unread("an inverted class in brackets") }
        result.add(characters)
        continue
      }
      position += 1
      guard let last = try bracketPart().single, first <= last else {
        throw NamePatternError(reason: "has a range that ends before it begins")
      }
      result.add(first...last)
    }
    return isInverted ? result.inverted : result
  }

  /// One character, or a class that an escape stands for.
  private mutating func bracketPart() throws(NamePatternError)
    -> (single: Unicode.Scalar?, characters: NameCharacters)
  {
    if !take("\\") {
      let scalar = try scalar()
      return (scalar, NameCharacters(ranges: [scalar...scalar]))
    }
    let characters = try escaped()
    let range = characters.ranges.first
    let isSingle =
      characters.ranges.count == 1 && range?.lowerBound == range?.upperBound
      && !characters.isInverted
    return (isSingle ? range?.lowerBound : nil, characters)
  }
}
