// MARK: - `"%s" % values` and `"{}".format(values)`

extension TemplateInterpreter {
  /// What the filter `format` makes of its arguments.
  func format(
    _ format: TemplateText, _ arguments: CallArguments
  ) throws(ChatTemplateError) -> TemplateText {
    guard !arguments.named.isEmpty else {
      return try self.format(format, .tuple(arguments.positional))
    }
    guard arguments.positional.isEmpty else {
      throw error("format takes arguments with names, or without, but not both")
    }
    return try self.format(
      format, try dictionary(arguments.named.map { (.text($0.name), $0.value) }))
  }

  /// A pattern of Python's `%` operator, filled in.
  func format(
    _ format: TemplateText, _ values: TemplateValue
  ) throws(ChatTemplateError) -> TemplateText {
    try allocate(2 * format.count)
    var rest: ArraySlice<TemplateValue> = [values]
    if case .sequence(let sequence) = values, sequence.kind.isTuple {
      rest = sequence.elements[...]
    }
    var result = TemplateText(elements: [])
    var usesNames = false
    var scanner = PatternScanner(format.scalars)
    var place = 0
    while let start = format.firstIndex(of: "%", from: place) {
      result.elements += format.elements[place..<start]
      scanner.place = start + 1
      let name = scanner.name(in: format)
      guard let item = scanner.percentItem() else { throw error("a % pattern is incomplete") }
      place = scanner.place
      if item.conversion == "%" {
        result.elements.append(format.elements[start])
        continue
      }
      let value: TemplateValue
      if let name {
        guard case .dictionary(let dictionary) = values, let named = dictionary[.string(name)]
        else { throw error("a % pattern names a value that is not given") }
        value = named
        usesNames = true
      } else {
        guard let next = rest.popFirst() else { throw error("a % pattern needs more values") }
        value = next
      }
      let text = try formatted(value, item)
      try allocate(text.count)
      result.elements += text.elements
    }
    var isUsed = rest.isEmpty || usesNames
    if case .dictionary = values { isUsed = true }
    guard isUsed else { throw error("a % pattern has no place for all values") }
    result.elements += format.elements[place...]
    return result
  }

  private func formatted(
    _ value: TemplateValue, _ item: PatternScanner.Item
  ) throws(ChatTemplateError) -> TemplateText {
    var text: TemplateText
    switch item.conversion {
    case "s":
      text = try written(value)
      if let precision = item.precision { text = text[0..<min(precision, text.count)] }
    case "r": text = try represented(value)
    case "d", "i", "u":
      guard let number = value.number, let whole = Int(exactly: number.rounded(.towardZero)) else {
        throw error("a % pattern wants a number, not a \(value.typeName)")
      }
      text = TemplateText("\(value.integer ?? whole)")
    case "f", "F":
      guard let number = value.number else {
        throw error("a % pattern wants a number, not a \(value.typeName)")
      }
      try step(DecimalDigits.cost(of: number))
      let precision = min(item.precision ?? 6, DecimalDigits.precisionLimit)
      text = TemplateText(DecimalDigits.fixed(number, precision))
    case "x", "X", "o":
      guard let integer = value.integer else {
        throw error("a % pattern wants a whole number, not a \(value.typeName)")
      }
      text = TemplateText(
        String(
          integer, radix: item.conversion == "o" ? 8 : 16, uppercase: item.conversion == "X"))
    default: throw error("the conversion %\(item.conversion) is not known to this version")
    }
    if item.flags.contains("+"), item.conversion != "s", !text.holds("-", at: 0) {
      text = "+" + text
    }
    let width = item.width ?? 0
    guard width > text.count else { return text }
    let pads = item.flags.contains("-") ? "ljust" : "rjust"
    let fillsZeros =
      item.flags.contains("0") && pads == "rjust" && item.conversion != "s"
      && item.conversion != "r"
    return try padded(text, to: width, with: fillsZeros ? "0" : " ", fillsZeros ? "zfill" : pads)
  }

  /// A pattern of Python's `str.format`, filled in: fields without specifications.
  func formatBraces(
    _ format: TemplateText, _ arguments: CallArguments
  ) throws(ChatTemplateError) -> TemplateText {
    try allocate(format.count + arguments.named.count)
    let named = Dictionary(arguments.named.map { ($0.name, $0.value) }) { first, _ in first }
    var result = TemplateText(elements: [])
    var (place, next) = (0, 0)
    while place < format.count {
      let scalar = format.elements[place] & ~TemplateText.inputMark
      guard scalar == 0x7b || scalar == 0x7d else {
        result.elements.append(format.elements[place])
        place += 1
        continue
      }
      if format.holds(scalar == 0x7b ? "{{" : "}}", at: place) {
        result.elements.append(format.elements[place])
        place += 2
        continue
      }
      guard scalar == 0x7b, let end = format.firstIndex(of: "}", from: place) else {
        throw error("a format has a single brace")
      }
      let field = format[place + 1..<end].string
      place = end + 1
      let value: TemplateValue?
      if field.isEmpty {
        value = next < arguments.positional.count ? arguments.positional[next] : nil
        next += 1
      } else if let index = Int(field) {
        value = arguments.positional.indices.contains(index) ? arguments.positional[index] : nil
      } else {
        value = named[field]
      }
      guard let value else { throw error("a format's field \(field) is not given") }
      let text = try written(value)
      try allocate(text.count)
      result.elements += text.elements
    }
    return result
  }
}

/// Reads the items of a `%` pattern.
struct PatternScanner {
  struct Item {
    var flags: Set<Character> = []
    var width: Int?
    var precision: Int?
    var conversion: Character = "s"
  }

  private let scalars: [UInt32]
  var place = 0

  init(_ scalars: [UInt32]) { self.scalars = scalars }

  private var next: Character? {
    place < scalars.count ? Character(TemplateText.scalar(scalars[place])) : nil
  }

  /// The name in `(name)`; nil if there is none.
  mutating func name(in format: TemplateText) -> TemplateText? {
    guard next == "(", let end = format.firstIndex(of: ")", from: place) else { return nil }
    defer { place = end + 1 }
    return format[place + 1..<end]
  }

  /// Flags, width, precision and conversion; nil if the pattern ends before.
  mutating func percentItem() -> Item? {
    var item = Item()
    while let flag = next, "-+ #0".contains(flag) {
      item.flags.insert(flag)
      place += 1
    }
    item.width = number()
    if next == "." {
      place += 1
      item.precision = number() ?? 0
    }
    guard let conversion = next else { return nil }
    item.conversion = conversion
    place += 1
    return item
  }

  private mutating func number() -> Int? {
    var value: Int?
    while let digit = next?.wholeNumberValue, digit < 10 {
      value = min((value ?? 0) * 10 + digit, 1 << 40)
      place += 1
    }
    return value
  }
}
