/// The parts of a regular expression.
indirect enum PatternNode: Hashable {
  case set(ScalarSet)
  case sequence([PatternNode])
  case alternatives([PatternNode])
  case repeated(PatternNode, minimum: Int, maximum: Int?, PatternGreed)
  case look(PatternNode, isNegative: Bool, isBehind: Bool)
  case atomic(PatternNode)
  case assertion(Pattern.Step)

  /// Whether it may match nothing.
  var mayBeEmpty: Bool {
    switch self {
    case .set: false
    case .sequence(let parts): parts.allSatisfy(\.mayBeEmpty)
    case .alternatives(let parts): parts.contains(where: \.mayBeEmpty)
    case .repeated(let part, let minimum, _, _): minimum == 0 || part.mayBeEmpty
    case .look, .assertion: true
    case .atomic(let part): part.mayBeEmpty
    }
  }
}

/// How much a repetition takes, and whether it gives back.
enum PatternGreed: Hashable {
  case greedy, lazy, possessive
}

/// Reads a regular expression as Oniguruma's Ruby syntax, which tokenizers uses, has it.
struct PatternParser {
  private let text: [Unicode.Scalar]
  private var place = 0
  private var ignoresCase = false
  private var depth = 0

  private static let maximumDepth = 64
  /// Longest pattern in characters; those of models have some hundreds.
  private static let lengthLimit = 16 << 10
  private static let maximumRepeats = 1000

  init(_ text: String) { self.text = Array(text.unicodeScalars) }

  mutating func parse() throws(PatternError) -> PatternNode {
    guard text.count <= Self.lengthLimit else {
      throw PatternError(reason: "is longer than \(Self.lengthLimit) characters")
    }
    let node = try alternatives()
    guard place == text.count else { throw PatternError(reason: "has a ) too many") }
    return node
  }

  private var next: Unicode.Scalar? { place < text.count ? text[place] : nil }

  private mutating func take(_ prefix: String) -> Bool {
    let scalars = prefix.unicodeScalars
    guard text[place...].starts(with: scalars) else { return false }
    place += scalars.count
    return true
  }

  private mutating func scalar() throws(PatternError) -> Unicode.Scalar {
    guard let next else { throw PatternError(reason: "ends early") }
    place += 1
    return next
  }

  private mutating func alternatives() throws(PatternError) -> PatternNode {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.maximumDepth else { throw PatternError(reason: "is nested too deep") }
    let outerCase = ignoresCase
    defer { ignoresCase = outerCase }
    var all = [try sequence()]
    while take("|") { all.append(try sequence()) }
    return all.count == 1 ? all[0] : .alternatives(all)
  }

  private mutating func sequence() throws(PatternError) -> PatternNode {
    var parts: [PatternNode] = []
    while let next, next != "|", next != ")" {
      if take("(?i)") {
        ignoresCase = true
        continue
      }
      parts.append(try repeated(try atom()))
    }
    return parts.count == 1 ? parts[0] : .sequence(parts)
  }

  // MARK: - Repetition

  private mutating func repeated(_ node: PatternNode) throws(PatternError) -> PatternNode {
    var node = node
    while let (minimum, maximum, isInterval) = try bounds() {
      // Behind an interval, Ruby's + repeats once more, as here the next round of the loop does.
      let greed: PatternGreed =
        take("?") ? .lazy : !isInterval && take("+") ? .possessive : .greedy
      guard !node.mayBeEmpty || maximum == 1 else {
        throw PatternError(reason: "repeats what may be empty")
      }
      node = .repeated(node, minimum: minimum, maximum: maximum, greed)
    }
    return node
  }

  private mutating func bounds() throws(PatternError) -> (Int, Int?, isInterval: Bool)? {
    if take("*") { return (0, nil, false) }
    if take("+") { return (1, nil, false) }
    if take("?") { return (0, 1, false) }
    let start = place
    guard take("{") else { return nil }
    let minimum = number()
    var maximum = minimum
    if take(",") { maximum = number() }
    guard take("}"), minimum != nil || maximum != nil else {
      // A brace that bounds nothing is a brace.
      place = start
      return nil
    }
    guard (minimum ?? 0) <= (maximum ?? .max),
      max(minimum ?? 0, maximum ?? 0) <= Self.maximumRepeats
    else { throw PatternError(reason: "repeats more than \(Self.maximumRepeats) times") }
    return (minimum ?? 0, maximum, true)
  }

  private mutating func number() -> Int? {
    var digits = ""
    while let next, ("0"..."9").contains(next), digits.count < 6 {
      digits.unicodeScalars.append(next)
      place += 1
    }
    return Int(digits)
  }

  // MARK: - Atoms

  private mutating func atom() throws(PatternError) -> PatternNode {
    if next == "(" { return try group() }
    switch try scalar() {
    case "[": return .set(cased(try brackets()))
    case ".": return .set(.allButLineFeed)
    case "^": return .assertion(.lineStart)
    case "$": return .assertion(.lineEnd)
    case "\\": return try escape()
    case "*", "+", "?": throw PatternError(reason: "repeats nothing")
    case let literal: return .set(cased(ScalarSet([.range(literal.value...literal.value)])))
    }
  }

  private func cased(_ set: ScalarSet) -> ScalarSet { ignoresCase ? set.ignoringCase : set }

  private mutating func group() throws(PatternError) -> PatternNode {
    let outerCase = ignoresCase
    defer { ignoresCase = outerCase }
    let wrap: (PatternNode) -> PatternNode
    if take("(?=") {
      wrap = { .look($0, isNegative: false, isBehind: false) }
    } else if take("(?!") {
      wrap = { .look($0, isNegative: true, isBehind: false) }
    } else if take("(?<=") {
      wrap = { .look($0, isNegative: false, isBehind: true) }
    } else if take("(?<!") {
      wrap = { .look($0, isNegative: true, isBehind: true) }
    } else if take("(?>") {
      wrap = { .atomic($0) }
    } else if take("(?i:") {
      ignoresCase = true
      wrap = { $0 }
    } else if take("(?-i:") {
      ignoresCase = false
      wrap = { $0 }
    } else if take("(?:") {
      wrap = { $0 }
    } else if take("(?") {
      throw PatternError(reason: "has a group (?\(next.map(String.init) ?? "") that is not read")
    } else {
      place += 1
      wrap = { $0 }
    }
    let inner = try alternatives()
    guard take(")") else { throw PatternError(reason: "lacks a )") }
    return wrap(inner)
  }

  private mutating func escape() throws(PatternError) -> PatternNode {
    if take("b") { return .assertion(.wordBoundary(isNegative: false)) }
    if take("B") { return .assertion(.wordBoundary(isNegative: true)) }
    if take("A") { return .assertion(.textStart) }
    if take("z") { return .assertion(.textEnd) }
    return .set(cased(try escapedSet()))
  }

  /// What a backslash that was read begins.
  private mutating func escapedSet() throws(PatternError) -> ScalarSet {
    let letter = try scalar()
    switch letter {
    case "s": return .spaces
    case "S": return ScalarSet.spaces.inverted
    case "d": return .digits
    case "D": return ScalarSet.digits.inverted
    case "w": return .words
    case "W": return ScalarSet.words.inverted
    case "p", "P": return try property(isInverted: letter == "P")
    case "n": return Self.single(0x0a)
    case "r": return Self.single(0x0d)
    case "t": return Self.single(0x09)
    case "f": return Self.single(0x0c)
    case "v": return Self.single(0x0b)
    case "e": return Self.single(0x1b)
    case "x": return Self.single(try hexadecimal(digits: 2))
    case "u": return Self.single(try hexadecimal(digits: 4))
    default:
      guard !letter.properties.isAlphabetic, !("0"..."9").contains(letter) else {
        throw PatternError(reason: "has \\\(letter), which is not read")
      }
      return Self.single(letter.value)
    }
  }

  private static func single(_ value: UInt32) -> ScalarSet { ScalarSet([.range(value...value)]) }

  private mutating func hexadecimal(digits: Int) throws(PatternError) -> UInt32 {
    let isBraced = take("{")
    var text = ""
    while let next, next.properties.isASCIIHexDigit, text.count < (isBraced ? 6 : digits) {
      text.unicodeScalars.append(next)
      place += 1
    }
    guard let value = UInt32(text, radix: 16), !isBraced || take("}") else {
      throw PatternError(reason: "has a number that is not hexadecimal")
    }
    return value
  }

  private mutating func property(isInverted: Bool) throws(PatternError) -> ScalarSet {
    var name = ""
    var isInverted = isInverted
    if take("{") {
      if take("^") { isInverted.toggle() }
      while let next, next != "}" {
        name.unicodeScalars.append(next)
        place += 1
      }
      _ = take("}")
    } else {
      name.unicodeScalars.append(try scalar())
    }
    guard let set = ScalarSet(named: name) else {
      throw PatternError(reason: "has \\p{\(name)}, which is not read")
    }
    return isInverted ? set.inverted : set
  }

  // MARK: - Brackets

  /// The set behind a bracket that was read.
  private mutating func brackets() throws(PatternError) -> ScalarSet {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.maximumDepth else { throw PatternError(reason: "is nested too deep") }
    let isInverted = take("^")
    var (parts, limits): ([ScalarSet.Part], [ScalarSet]) = ([], [])
    var isFirst = true
    while isFirst || next != "]" {
      guard next != nil else { throw PatternError(reason: "lacks a ]") }
      if take("&&") {
        limits.append(ScalarSet(parts))
        parts = []
        isFirst = false
        continue
      }
      parts.append(try bracketPart())
      isFirst = false
    }
    place += 1
    let set = ScalarSet(parts, limits: limits)
    return isInverted ? set.inverted : set
  }

  private mutating func bracketPart() throws(PatternError) -> ScalarSet.Part {
    if take("[:") { throw PatternError(reason: "has a class [: :], which is not read") }
    if take("[") { return .set(try brackets()) }
    let first: UInt32
    if take("\\") {
      let set = try escapedSet()
      guard let value = set.single else { return .set(set) }
      first = value
    } else {
      first = try scalar().value
    }
    guard next == "-", place + 1 < text.count, text[place + 1] != "]", text[place + 1] != "[" else {
      return .range(first...first)
    }
    place += 1
    var last = try scalar().value
    if last == 0x5c {
      guard let value = try escapedSet().single else {
        throw PatternError(reason: "has a range that ends in a class")
      }
      last = value
    }
    guard first <= last else {
      throw PatternError(reason: "has a range that ends before it begins")
    }
    return .range(first...last)
  }
}
