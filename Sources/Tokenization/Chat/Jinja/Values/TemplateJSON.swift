/// How a value is written as JSON: Python's `json.dumps` with the settings that templates may give.
struct TemplateJSON {
  var isASCII = false
  /// What a level of nesting is indented by; nil for one line.
  var indent: TemplateText?
  var itemSeparator: TemplateText
  var keySeparator: TemplateText = ": "
  var sortsKeys = false

  /// One value, and what it holds, after what `result` has.
  func write(
    _ value: TemplateValue, level: Int = 0, into result: inout TemplateText,
    _ interpreter: TemplateInterpreter
  ) throws(ChatTemplateError) {
    try interpreter.allocate(24)
    try interpreter.enter()
    defer { interpreter.leave() }
    switch value {
    case .none: result.elements += TemplateText("null").elements
    case .boolean(let value): result.elements += TemplateText(value ? "true" : "false").elements
    case .integer(let value): result.elements += TemplateText("\(value)").elements
    case .number(let value): result.elements += TemplateText(Self.number(value)).elements
    case .string(let text): try write(text, into: &result, interpreter)
    case .sequence(let sequence) where sequence.kind == .list || sequence.kind.isTuple:
      try write(sequence.elements, "[", "]", level, into: &result, interpreter) {
        (element, result) throws(ChatTemplateError) in
        try write(element, level: level + 1, into: &result, interpreter)
      }
    case .dictionary(let dictionary):
      var pairs = dictionary.pairs
      if sortsKeys {
        try interpreter.step(dictionary.weight)
        pairs.sort { $0.key.precedes($1.key) ?? false }
      }
      try write(pairs, "{", "}", level, into: &result, interpreter) {
        (pair, result) throws(ChatTemplateError) in
        try write(try key(pair.key, interpreter), into: &result, interpreter)
        result.elements += keySeparator.elements
        try write(pair.value, level: level + 1, into: &result, interpreter)
      }
    default:
      throw interpreter.error("tojson cannot write a value of type \(value.typeName)")
    }
  }

  private func write<Element>(
    _ elements: [Element], _ opening: String, _ closing: String, _ level: Int,
    into result: inout TemplateText, _ interpreter: TemplateInterpreter,
    _ body: (Element, inout TemplateText) throws(ChatTemplateError) -> Void
  ) throws(ChatTemplateError) {
    result.elements += TemplateText(opening).elements
    func startLine(_ level: Int) throws(ChatTemplateError) {
      guard let indent else { return }
      try interpreter.allocate(1 + indent.count * level)
      result.elements.append(0x0a)
      result.elements += indent.repeated(level).elements
    }
    for (index, element) in elements.enumerated() {
      try interpreter.step()
      if index > 0 {
        try interpreter.allocate(itemSeparator.count + keySeparator.count)
        result.elements += itemSeparator.elements
      }
      try startLine(level + 1)
      try body(element, &result)
    }
    if !elements.isEmpty { try startLine(level) }
    result.elements += TemplateText(closing).elements
  }

  private func key(
    _ key: TemplateValue, _ interpreter: TemplateInterpreter
  ) throws(ChatTemplateError) -> TemplateText {
    switch key {
    case .string(let text): return text
    case .none: return "null"
    case .boolean(let value): return TemplateText(value ? "true" : "false")
    case .integer(let value): return TemplateText("\(value)")
    case .number(let value): return TemplateText(Self.number(value))
    default: throw interpreter.error("tojson cannot write a key of type \(key.typeName)")
    }
  }

  private static func number(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value < 0 ? "-Infinity" : "Infinity" }
    return TemplateValue.written(value)
  }

  /// A string in quotes; what an escape stands for hands it its mark.
  private func write(
    _ text: TemplateText, into result: inout TemplateText, _ interpreter: TemplateInterpreter
  ) throws(ChatTemplateError) {
    try interpreter.allocate(2 + text.count * (isASCII ? 12 : 6))
    result.elements.append(0x22)
    for element in text.elements {
      let scalar = element & ~TemplateText.inputMark
      if let escape = escape(scalar) {
        let mark = element & TemplateText.inputMark
        result.elements += escape.unicodeScalars.map { $0.value | mark }
      } else {
        result.elements.append(element)
      }
    }
    result.elements.append(0x22)
  }

  private func escape(_ scalar: UInt32) -> String? {
    switch scalar {
    case 0x22: return "\\\""
    case 0x5c: return "\\\\"
    case 0x08: return "\\b"
    case 0x09: return "\\t"
    case 0x0a: return "\\n"
    case 0x0c: return "\\f"
    case 0x0d: return "\\r"
    case 0x20..<0x7f: return nil
    default:
      guard isASCII || scalar < 0x20 else { return nil }
      return TemplateText.scalar(scalar).utf16.map { unit in
        let digits = String(unit, radix: 16)
        return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      }.joined()
    }
  }
}
