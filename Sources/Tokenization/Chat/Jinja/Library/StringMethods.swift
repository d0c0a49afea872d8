// MARK: - What a string can be asked, as Python's str

extension TemplateInterpreter {
  func callMethod(
    _ name: String, of text: TemplateText, _ arguments: CallArguments
  ) throws(ChatTemplateError) -> TemplateValue {
    try allocate(text.count)
    switch name {
    case "strip", "lstrip", "rstrip":
      let characters = try bind(arguments, to: ["chars"], of: name)[0]
      return .string(
        text.stripped(
          try stripped(characters, name), left: name != "rstrip", right: name != "lstrip"))
    case "startswith", "endswith":
      return .boolean(try touches(text, arguments, atStart: name == "startswith", name))
    case "removeprefix", "removesuffix":
      guard
        let part = try self.text(try bind(arguments, to: ["part"], of: name, required: 1)[0], name)
      else { throw error("\(name) takes a string") }
      if name == "removeprefix" {
        return .string(text.holds(part, at: 0) ? text[part.count..<text.count] : text)
      }
      let start = text.count - part.count
      return .string(text.holds(part, at: start) ? text[0..<start] : text)
    case "split", "rsplit": return try split(text, arguments, name)
    case "splitlines":
      let keeps = try bind(arguments, to: ["keepends"], of: name)[0]
      return try list(text.lines(keepsEnds: keeps.map(isTrue) ?? false))
    case "partition", "rpartition": return try partition(text, arguments, name)
    case "replace":
      let values = try bind(arguments, to: ["old", "new", "count"], of: name, required: 2)
      guard let old = try self.text(values[0], name), let new = try self.text(values[1], name)
      else { throw error("replace takes two strings") }
      return .string(try replace(text, old, new, limit: try integer(values[2], -1, name)))
    case "join":
      let parts = try bind(arguments, to: ["iterable"], of: name, required: 1)[0]
      var texts: [TemplateText] = []
      for part in try elements(of: parts ?? .none) {
        guard let part = part.text else {
          throw error("join takes strings, not a \(part.typeName)")
        }
        texts.append(part)
      }
      return .string(try join(texts, text))
    case "find", "rfind", "index", "rindex", "count":
      return try find(text, arguments, name)
    case "center", "ljust", "rjust", "zfill": return try pad(text, arguments, name)
    case "format":
      return .string(try formatBraces(text, arguments))
    default:
      _ = try bind(arguments, to: [], of: name)
      try allocate(2 * text.count)
      guard let result = Self.plainMethod(name, text) else {
        throw error("the method \(name) is not known to this version")
      }
      return result
    }
  }

  /// The characters that are stripped; nil for white space.
  func stripped(
    _ characters: TemplateValue?, _ name: String
  ) throws(ChatTemplateError) -> TemplateText? {
    let characters = try text(characters, name)
    try allocate(characters?.count ?? 0)
    return characters
  }

  /// Methods without arguments; nil for one that this version lacks.
  private static func plainMethod(_ name: String, _ text: TemplateText) -> TemplateValue? {
    switch name {
    case "upper": .string(text.uppercased)
    case "lower": .string(text.lowercased)
    case "casefold": .string(text.casefolded)
    case "capitalize": .string(text.capitalized)
    case "title": .string(text.titled)
    case "swapcase": .string(text.swappedCase)
    case "isalnum": .boolean(text.isAlphanumeric)
    case "isalpha": .boolean(text.isAlpha)
    case "isascii": .boolean(text.isASCII)
    case "isdecimal": .boolean(text.isDecimal)
    case "isdigit": .boolean(text.isDigit)
    case "isidentifier": .boolean(text.isIdentifier)
    case "islower": .boolean(text.isLower)
    case "isnumeric": .boolean(text.isNumeric)
    case "isspace": .boolean(text.isWhiteSpace)
    case "istitle": .boolean(text.isTitle)
    case "isupper": .boolean(text.isUpper)
    default: nil
    }
  }

  private func list(_ texts: [TemplateText]) throws(ChatTemplateError) -> TemplateValue {
    try allocate(8 * texts.count)
    return try sequence(.list, texts.map { .string($0) })
  }

  func replace(
    _ text: TemplateText, _ old: TemplateText, _ new: TemplateText, limit: Int
  ) throws(ChatTemplateError) -> TemplateText {
    try scan(text.count + old.count)
    let found = limit == 0 ? 0 : text.occurrences(of: old)
    let growth = product(limit < 0 ? found : min(found, limit), new.count)
    try allocate(growth)
    try allocate(text.count)
    return text.replacing(old, with: new, limit: limit)
  }

  func join(
    _ parts: [TemplateText], _ separator: TemplateText
  ) throws(ChatTemplateError) -> TemplateText {
    try allocate(product(separator.count, parts.count))
    try allocate(parts.reduce(0) { $0 + $1.count })
    return separator.joining(parts)
  }

  /// Whether the text starts or ends with a string, or one of a tuple of strings.
  private func touches(
    _ text: TemplateText, _ arguments: CallArguments, atStart: Bool, _ name: String
  ) throws(ChatTemplateError) -> Bool {
    let values = try bind(arguments, to: ["part", "start", "end"], of: name, required: 1)
    let bounds = try self.bounds(values[1], values[2], text.count, name)
    let part = bounds.isEmpty ? (bounds.lowerBound <= text.count ? "" : nil) : text[bounds]
    var wanted: [TemplateValue] = [values[0] ?? .none]
    if case .sequence(let sequence)? = values[0], sequence.kind.isTuple {
      wanted = sequence.elements
      try step(wanted.count / 8)
    }
    for value in wanted {
      guard let value = try self.text(value, name) else { throw error("\(name) takes a string") }
      try scan(value.count)
      if let part, part.holds(value, at: atStart ? 0 : part.count - value.count) { return true }
    }
    return false
  }

  /// A range of places as Python's optional `start` and `end` give it.
  private func bounds(
    _ start: TemplateValue?, _ end: TemplateValue?, _ count: Int, _ name: String
  ) throws(ChatTemplateError) -> Range<Int> {
    func place(_ value: Int) -> Int { max(value < 0 ? value &+ count : value, 0) }
    let first = place(try integer(start, 0, name))
    let last = min(place(try integer(end, count, name)), count)
    return first..<max(first, last)
  }

  private func split(
    _ text: TemplateText, _ arguments: CallArguments, _ name: String
  ) throws(ChatTemplateError) -> TemplateValue {
    let values = try bind(arguments, to: ["sep", "maxsplit"], of: name)
    let limit = try integer(values[1], -1, name)
    guard let separator = try self.text(values[0], name) else {
      return try list(
        name == "split" ? text.words(limit: limit) : text.wordsFromRight(limit: limit))
    }
    guard !separator.isEmpty else { throw error("\(name) takes a separator that is not empty") }
    try scan(separator.count)
    return try list(
      name == "split"
        ? text.split(separator, limit: limit) : text.splitFromRight(separator, limit: limit))
  }

  private func partition(
    _ text: TemplateText, _ arguments: CallArguments, _ name: String
  ) throws(ChatTemplateError) -> TemplateValue {
    guard
      let separator = try self.text(
        try bind(arguments, to: ["sep"], of: name, required: 1)[0], name), !separator.isEmpty
    else { throw error("\(name) takes a separator that is not empty") }
    try scan(separator.count)
    let isLeft = name == "partition"
    let found = isLeft ? text.firstIndex(of: separator) : text.lastIndex(of: separator)
    var parts: [TemplateText] = isLeft ? [text, "", ""] : ["", "", text]
    if let found {
      parts = [text[0..<found], separator, text[found + separator.count..<text.count]]
    }
    return try sequence(.tuple, parts.map { .string($0) })
  }

  private func find(
    _ text: TemplateText, _ arguments: CallArguments, _ name: String
  ) throws(ChatTemplateError) -> TemplateValue {
    let values = try bind(arguments, to: ["sub", "start", "end"], of: name, required: 1)
    guard let part = try self.text(values[0], name) else { throw error("\(name) takes a string") }
    try scan(part.count)
    let bounds = try self.bounds(values[1], values[2], text.count, name)
    let isInside = bounds.upperBound <= text.count
    if name == "count" {
      return .integer(isInside ? text[bounds].occurrences(of: part) : 0)
    }
    let isLast = name.hasPrefix("r")
    let found: Int? =
      if !isInside { nil } else if isLast {
        text.lastIndex(of: part, from: bounds.lowerBound, to: bounds.upperBound)
      } else {
        text.firstIndex(of: part, from: bounds.lowerBound, to: bounds.upperBound)
      }
    guard found != nil || name.hasSuffix("find") else {
      throw error("\(name) finds no such string")
    }
    return .integer(found ?? -1)
  }

  private func pad(
    _ text: TemplateText, _ arguments: CallArguments, _ name: String
  ) throws(ChatTemplateError) -> TemplateValue {
    let values = try bind(arguments, to: ["width", "fillchar"], of: name, required: 1)
    let width = try integer(values[0], 0, name)
    let filling = try self.text(values[1], name) ?? (name == "zfill" ? "0" : " ")
    guard filling.count == 1 else { throw error("\(name) fills with one character") }
    return .string(try padded(text, to: width, with: filling, name))
  }

  func padded(
    _ text: TemplateText, to width: Int, with filling: TemplateText, _ name: String
  ) throws(ChatTemplateError) -> TemplateText {
    guard width > text.count else { return text }
    try allocate(width)
    let missing = width - text.count
    switch name {
    case "ljust": return text + filling.repeated(missing)
    case "rjust": return filling.repeated(missing) + text
    case "center":
      // Python puts the odd character to the left where the width is odd.
      let left = missing / 2 + (missing & width & 1)
      return filling.repeated(left) + text + filling.repeated(missing - left)
    default:
      let hasSign = text.holds("-", at: 0) || text.holds("+", at: 0)
      let sign = hasSign ? 1 : 0
      return text[0..<sign] + filling.repeated(missing) + text[sign..<text.count]
    }
  }
}
