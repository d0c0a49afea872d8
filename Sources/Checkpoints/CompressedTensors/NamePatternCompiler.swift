/// Makes the steps of a ``NamePattern`` from its text, back to front: each part is told where to go on.
struct NamePatternCompiler {
  private(set) var steps: [NamePattern.Step] = [.accept]
  private let text: [Unicode.Scalar]
  private var position = 0
  private var depth = 0

  static let maximumLength = 1024
  private static let maximumSteps = 4096
  private static let maximumDepth = 32

  /// One part of a pattern, before it is known what follows.
  private indirect enum Part {
    case character(NamePattern.CharacterClass)
    case start, end
    case sequence([Part])
    case choice([Part])
    /// So often; without a limit if `most` is nil.
    case repeated(Part, least: Int, most: Int?)
    case look(Part, isNegative: Bool)
  }

  init(_ text: String) { self.text = Array(text.unicodeScalars) }

  /// The first step; nil if the text is no pattern that is read.
  mutating func compile() -> Int? {
    guard text.count <= Self.maximumLength, let part = choice(), position == text.count else {
      return nil
    }
    return emit(part, next: 0)
  }

  // MARK: Reading

  private var next: Unicode.Scalar? { position < text.count ? text[position] : nil }

  private mutating func take(_ word: String) -> Bool {
    let scalars = Array(word.unicodeScalars)
    guard text.dropFirst(position).starts(with: scalars) else { return false }
    position += scalars.count
    return true
  }

  private mutating func choice() -> Part? {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.maximumDepth else { return nil }
    var parts: [Part] = []
    repeat {
      guard let part = sequence() else { return nil }
      parts.append(part)
    } while take("|")
    return parts.count == 1 ? parts[0] : .choice(parts)
  }

  private mutating func sequence() -> Part? {
    var parts: [Part] = []
    while let scalar = next, scalar != "|", scalar != ")" {
      guard let part = atom(), let repeated = repetition(of: part) else { return nil }
      parts.append(repeated)
    }
    return .sequence(parts)
  }

  private mutating func atom() -> Part? {
    if take("^") || take("\\A") { return .start }
    if take("$") || take("\\Z") { return .end }
    if take("(?=") { return closed(choice()).map { .look($0, isNegative: false) } }
    if take("(?!") { return closed(choice()).map { .look($0, isNegative: true) } }
    if take("(?:") { return closed(choice()) }
    if take("(?") { return nil }
    if take("(") { return closed(choice()) }
    if take("[") { return characters().map { .character($0) } }
    if take(".") { return .character(NamePattern.CharacterClass(ranges: [], isInverted: true)) }
    if take("\\") { return escaped().map { .character($0) } }
    guard let scalar = next, !"*+?{".unicodeScalars.contains(scalar) else { return nil }
    position += 1
    return .character(NamePattern.CharacterClass(ranges: [scalar...scalar]))
  }

  private mutating func closed(_ part: Part?) -> Part? { take(")") ? part : nil }

  /// `part` as often as what follows it says.
  private mutating func repetition(of part: Part) -> Part? {
    let result: Part
    if take("*") {
      result = .repeated(part, least: 0, most: nil)
    } else if take("+") {
      result = .repeated(part, least: 1, most: nil)
    } else if take("?") {
      result = .repeated(part, least: 0, most: 1)
    } else if take("{") {
      let least = number() ?? 0
      let most = take(",") ? number() : least
      guard take("}"), least <= most ?? least, max(least, most ?? 0) <= 100 else { return nil }
      result = .repeated(part, least: least, most: most)
    } else {
      return part
    }
    // A lazy repetition matches the same names; a possessive one may not.
    _ = take("?")
    return take("+") ? nil : result
  }

  private mutating func number() -> Int? {
    var digits = ""
    while let scalar = next, ("0"..."9").contains(scalar), digits.count < 4 {
      digits.unicodeScalars.append(scalar)
      position += 1
    }
    return Int(digits)
  }

  private static let digits: [ClosedRange<Unicode.Scalar>] = ["0"..."9"]
  private static let words: [ClosedRange<Unicode.Scalar>] =
    digits + ["a"..."z", "A"..."Z", "_"..."_"]
  private static let spaces: [ClosedRange<Unicode.Scalar>] = [" "..." ", "\t"..."\r"]

  /// What a backslash and the next character stand for.
  private mutating func escaped() -> NamePattern.CharacterClass? {
    guard let scalar = next else { return nil }
    position += 1
    switch scalar {
    case "d": return .init(ranges: Self.digits)
    case "D": return .init(ranges: Self.digits, isInverted: true)
    case "w": return .init(ranges: Self.words)
    case "W": return .init(ranges: Self.words, isInverted: true)
    case "s": return .init(ranges: Self.spaces)
    case "S": return .init(ranges: Self.spaces, isInverted: true)
    // Other letters and digits have meanings that are not read: word boundaries, back references.
    case let other where Self.words.contains { $0.contains(other) } && other != "_": return nil
    default: return .init(ranges: [scalar...scalar])
    }
  }

  /// The rest of a class in brackets.
  private mutating func characters() -> NamePattern.CharacterClass? {
    var result = NamePattern.CharacterClass()
    result.isInverted = take("^")
    var isFirst = true
    while isFirst || !take("]") {
      isFirst = false
      guard let scalar = next else { return nil }
      position += 1
      guard scalar == "\\" || next != "-" || text.dropFirst(position + 1).first == "]" else {
        position += 1
        guard let last = next, last != "\\", scalar <= last else { return nil }
        position += 1
        result.ranges.append(scalar...last)
        continue
      }
      guard scalar == "\\" else {
        result.ranges.append(scalar...scalar)
        continue
      }
      guard let escaped = escaped(), !escaped.isInverted else { return nil }
      result.ranges += escaped.ranges
    }
    return result
  }

  // MARK: Steps

  private mutating func add(_ step: NamePattern.Step) -> Int? {
    guard steps.count < Self.maximumSteps else { return nil }
    steps.append(step)
    return steps.count - 1
  }

  /// The first step of a part that goes on at `next`; nil if there are too many.
  private mutating func emit(_ part: Part, next: Int) -> Int? {
    switch part {
    case .character(let characters): return add(.character(characters, next: next))
    case .start: return add(.start(next: next))
    case .end: return add(.end(next: next))
    case .sequence(let parts):
      var place = next
      for part in parts.reversed() {
        guard let first = emit(part, next: place) else { return nil }
        place = first
      }
      return place
    case .choice(let parts):
      guard var place = emit(parts[parts.count - 1], next: next) else { return nil }
      for part in parts.dropLast().reversed() {
        guard let first = emit(part, next: next), let fork = add(.fork(first, place)) else {
          return nil
        }
        place = fork
      }
      return place
    case .look(let part, let isNegative):
      guard let first = emit(part, next: 0) else { return nil }
      return add(.look(first: first, isNegative: isNegative, next: next))
    case .repeated(let part, let least, let most): return emit(part, least, most, next: next)
    }
  }

  private mutating func emit(_ part: Part, _ least: Int, _ most: Int?, next: Int) -> Int? {
    var place = next
    if let most {
      for _ in least..<most {
        guard let first = emit(part, next: place), let fork = add(.fork(first, next)) else {
          return nil
        }
        place = fork
      }
    } else {
      // The loop's own step comes first, for the part has to know where to go on.
      guard let loop = add(.fork(next, next)), let first = emit(part, next: loop) else {
        return nil
      }
      steps[loop] = .fork(first, next)
      place = loop
    }
    for _ in 0..<least {
      guard let first = emit(part, next: place) else { return nil }
      place = first
    }
    return place
  }
}
