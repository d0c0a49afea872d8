// MARK: - Filters, by name

extension TemplateInterpreter {
  static let filterNames: Set<String> = [
    "abs", "attr", "batch", "capitalize", "center", "count", "d", "default", "dictsort", "e",
    "escape", "first", "float", "forceescape", "format", "groupby", "indent", "int", "items",
    "join", "last", "length", "list", "lower", "map", "max", "min", "reject", "rejectattr",
    "replace", "reverse", "round", "safe", "select", "selectattr", "slice", "sort", "string",
    "sum", "title", "tojson", "trim", "truncate", "unique", "upper", "urlencode", "wordcount",
  ]

  func filter(
    _ name: String, _ value: TemplateValue, _ arguments: CallArguments
  ) throws(ChatTemplateError) -> TemplateValue {
    try step()
    switch name {
    case "default", "d":
      let values = try bind(arguments, to: ["default_value", "boolean"], of: name)
      let isMissing =
        value.isUndefined || (values[1].map(isTrue) ?? false) && !isTrue(value)
      return isMissing ? values[0] ?? .string("") : value
    case "length", "count":
      _ = try bind(arguments, to: [], of: name)
      return .integer(try length(value))
    case "string":
      _ = try bind(arguments, to: [], of: name)
      return .string(try written(value))
    // Nothing is escaped in a prompt, so that nothing needs to be marked as safe.
    case "safe": return .string(try written(value))
    case "tojson": return try json(value, arguments)
    case "attr":
      let attribute = try bind(arguments, to: ["name"], of: name, required: 1)[0]
      guard let attribute = try text(attribute, name) else { throw error("attr takes a name") }
      guard attribute.count <= TemplateLexer.nameLimit else { throw error("a name is too long") }
      let name = attribute.string
      if case .dictionary(let dictionary) = value, dictionary[.string(attribute)] != nil,
        !TemplateMethods.names(of: value).contains(name)
      {
        return .undefined("a dict has no attribute \(name)")
      }
      return try self.attribute(name, of: value)
    case "abs", "int", "float", "round": return try number(name, value, arguments)
    case "list", "first", "last", "reverse", "items", "batch", "slice":
      return try sequenceFilter(name, value, arguments)
    case "sort", "dictsort", "unique", "min", "max", "sum", "groupby":
      return try orderFilter(name, value, arguments)
    case "map", "select", "reject", "selectattr", "rejectattr":
      return try pickingFilter(name, value, arguments)
    default: return try stringFilter(name, value, arguments)
    }
  }

  private func length(_ value: TemplateValue) throws(ChatTemplateError) -> Int {
    switch value {
    case .undefined: 0
    case .string(let text): text.count
    case .sequence(let sequence): sequence.elements.count
    case .dictionary(let dictionary): dictionary.keys.count
    case .loop(let place): loops[place].items.count
    default: throw error("a \(value.typeName) has no length")
    }
  }

  private func json(
    _ value: TemplateValue, _ arguments: CallArguments
  ) throws(ChatTemplateError) -> TemplateValue {
    let values = try bind(
      arguments, to: ["ensure_ascii", "indent", "separators", "sort_keys"], of: "tojson")
    var indent: TemplateText?
    switch values[1] {
    case .string(let text)?: indent = text
    case let value?:
      if !value.isNone {
        let width = min(max(try integer(value, 0, "tojson"), 0), limits.output)
        try allocate(width)
        indent = TemplateText(" ").repeated(width)
      }
    case nil: break
    }
    var writer = TemplateJSON(
      isASCII: values[0].map(isTrue) ?? false, indent: indent,
      itemSeparator: indent == nil ? ", " : ",", sortsKeys: values[3].map(isTrue) ?? false)
    if let separators = values[2], !separators.isNone {
      let texts = try elements(of: separators).compactMap(\.text)
      guard texts.count == 2 else { throw error("tojson takes two separators") }
      writer.itemSeparator = texts[0]
      writer.keySeparator = texts[1]
    }
    var result = TemplateText(elements: [])
    try writer.write(value, into: &result, self)
    return .string(result)
  }

  private func number(
    _ name: String, _ value: TemplateValue, _ arguments: CallArguments
  ) throws(ChatTemplateError) -> TemplateValue {
    // Numbers are read out of strings in several steps.
    if let text = value.text { try allocate(4 * text.count) }
    switch name {
    case "int":
      try require(value)
      let values = try bind(arguments, to: ["default", "base"], of: name)
      let radix = try integer(values[1], 10, name)
      return Self.integer(value, radix: radix) ?? values[0] ?? .integer(0)
    case "float":
      try require(value)
      let standard = try bind(arguments, to: ["default"], of: name)[0]
      let parsed = value.text.flatMap { Self.number($0) } ?? value.number
      return parsed.map { .number($0) } ?? standard ?? .number(0)
    case "abs":
      _ = try bind(arguments, to: [], of: name)
      try require(value)
      if let integer = value.integer, integer != .min { return .integer(abs(integer)) }
      guard case .number(let number) = value else { throw error("abs takes a number") }
      return .number(abs(number))
    default:
      let values = try bind(arguments, to: ["precision", "method"], of: name)
      try require(value)
      guard let number = value.number else { throw error("round takes a number") }
      let precision = try integer(values[0], 0, name)
      guard (-300...300).contains(precision) else {
        throw error("round takes a precision of some digits")
      }
      try step(DecimalDigits.cost(of: number))
      let method = try text(values[1], name)?.string ?? "common"
      if method == "common", let integer = value.integer, precision >= 0 {
        return .integer(integer)
      }
      guard let rounded = Self.rounded(number, precision, method) else {
        throw error("round knows the methods common, ceil and floor")
      }
      return .number(rounded)
    }
  }

  /// The whole number that a string spells, or a number is without its fraction.
  private static func integer(_ value: TemplateValue, radix: Int) -> TemplateValue? {
    if let integer = value.integer { return .integer(integer) }
    if let text = value.text, (2...36).contains(radix) {
      var digits = text.stripped().string.filter { $0 != "_" }
      let prefixes = [16: "0x", 8: "0o", 2: "0b"]
      if let prefix = prefixes[radix], digits.lowercased().hasPrefix(prefix) {
        digits.removeFirst(2)
      }
      if let integer = Int(digits, radix: radix) { return .integer(integer) }
    }
    guard let number = value.text.flatMap({ Self.number($0) }) ?? value.number else { return nil }
    return Int(exactly: number.rounded(.towardZero)).map { .integer($0) }
  }

  private static func number(_ text: TemplateText) -> Double? {
    let spelled = text.stripped().string
    let isDecimal = spelled.unicodeScalars.allSatisfy { $0 != "x" && $0 != "X" && $0 != "p" }
    return isDecimal ? Double(spelled.filter { $0 != "_" }) : nil
  }

  /// Rounded to decimal digits; nil for a method that there is not.
  private static func rounded(_ value: Double, _ precision: Int, _ method: String) -> Double? {
    let scale = power(ofTen: precision)
    switch method {
    case "common":
      // Python rounds the exact decimal, halves to even.
      if precision == 0 { return value.rounded(.toNearestOrEven) }
      guard value.isFinite, precision > 0, precision < 17 else {
        return (value * scale).rounded(.toNearestOrEven) / scale
      }
      return Double(DecimalDigits.fixed(value, precision)) ?? value
    case "ceil": return (value * scale).rounded(.up) / scale
    case "floor": return (value * scale).rounded(.down) / scale
    default: return nil
    }
  }

  private static func power(ofTen exponent: Int) -> Double { Double("1e\(exponent)") ?? 1 }
}
