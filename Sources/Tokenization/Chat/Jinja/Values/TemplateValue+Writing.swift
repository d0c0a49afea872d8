// MARK: - Values as text: Python's str and repr

extension TemplateValue {
  /// The number as Python writes it.
  static func written(_ value: Double) -> String {
    if value.isNaN { return "nan" }
    if value.isInfinite { return value < 0 ? "-inf" : "inf" }
    return value.description
  }
}

extension TemplateInterpreter {
  /// What printing a value writes.
  func written(_ value: TemplateValue) throws(ChatTemplateError) -> TemplateText {
    switch value {
    case .undefined: return TemplateText("")
    case .string(let text): return text
    default: return try represented(value)
    }
  }

  /// The value as Python's `repr` spells it.
  func represented(_ value: TemplateValue) throws(ChatTemplateError) -> TemplateText {
    var writer = TemplateText(elements: [])
    try represent(value, into: &writer)
    return writer
  }

  private func represent(
    _ value: TemplateValue, into result: inout TemplateText
  ) throws(ChatTemplateError) {
    try step()
    try enter()
    defer { leave() }
    switch value {
    case .undefined: result.elements += TemplateText("Undefined").elements
    case .none: result.elements += TemplateText("None").elements
    case .boolean(let value): result.elements += TemplateText(value ? "True" : "False").elements
    case .integer(let value): result.elements += TemplateText("\(value)").elements
    case .number(let value):
      result.elements += TemplateText(TemplateValue.written(value)).elements
    case .string(let text):
      // The longest spelling of a character is \U0001f600.
      try allocate(10 * text.count)
      result.elements += text.quotedForPython.elements
    case .sequence(let sequence):
      if let spelling = sequence.spelling {
        result.elements += TemplateText(spelling).elements
        return
      }
      switch sequence.kind {
      case .list: try represent(sequence.elements, "[", "]", into: &result)
      case .tuple, .group:
        try represent(
          sequence.elements, "(", sequence.elements.count == 1 ? ",)" : ")", into: &result)
      case .range, .keys, .values, .items:
        try represent(sequence.elements, "\(sequence.kind.rawValue)([", "])", into: &result)
      }
    case .dictionary(let dictionary): try represent(dictionary.pairs, into: &result)
    case .namespace(let place):
      result.elements += TemplateText("<Namespace ").elements
      let namespace = namespaces[place]
      let pairs = namespace.names.compactMap { name in
        namespace[name].map { (key: TemplateValue.text(name), value: $0) }
      }
      try represent(pairs, into: &result)
      result.elements += TemplateText(">").elements
    case .macro(let macro): result.elements += TemplateText("<Macro '\(macro.name)'>").elements
    case .generator, .loop, .function:
      result.elements += TemplateText("<\(value.typeName)>").elements
    }
  }

  private func represent(
    _ elements: [TemplateValue], _ opening: String, _ closing: String,
    into result: inout TemplateText
  ) throws(ChatTemplateError) {
    result.elements += TemplateText(opening).elements
    for (index, element) in elements.enumerated() {
      try allocate(8)
      if index > 0 { result.elements += TemplateText(", ").elements }
      try represent(element, into: &result)
    }
    result.elements += TemplateText(closing).elements
  }

  private func represent(
    _ pairs: [(key: TemplateValue, value: TemplateValue)], into result: inout TemplateText
  ) throws(ChatTemplateError) {
    result.elements += TemplateText("{").elements
    for (index, pair) in pairs.enumerated() {
      try allocate(8)
      if index > 0 { result.elements += TemplateText(", ").elements }
      try represent(pair.key, into: &result)
      result.elements += TemplateText(": ").elements
      try represent(pair.value, into: &result)
    }
    result.elements += TemplateText("}").elements
  }
}

extension TemplateText {
  /// As a literal of Python, in single quotes unless it holds those alone.
  fileprivate var quotedForPython: TemplateText {
    let (single, double) = (UInt32(39), UInt32(34))
    let quote = scalars.contains(single) && !scalars.contains(double) ? double : single
    var result = TemplateText(elements: [quote])
    for element in elements {
      let (scalar, mark) = (element & ~Self.inputMark, element & Self.inputMark)
      let escaped: String? =
        switch scalar {
        case quote, 92: "\\" + String(Self.scalar(element))
        case 9: "\\t"
        case 10: "\\n"
        case 13: "\\r"
        default: Self.isPrintable(scalar) ? nil : Self.hexEscape(scalar)
        }
      result.elements += escaped?.unicodeScalars.map { $0.value | mark } ?? [element]
    }
    result.elements.append(quote)
    return result
  }

  private static func isPrintable(_ scalar: UInt32) -> Bool {
    if scalar == 0x20 { return true }
    switch Self.scalar(scalar).properties.generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator,
      .paragraphSeparator, .spaceSeparator:
      return false
    default: return true
    }
  }

  private static func hexEscape(_ scalar: UInt32) -> String {
    let digits = String(scalar, radix: 16)
    let (letter, width) = scalar < 0x100 ? ("x", 2) : scalar < 0x10000 ? ("u", 4) : ("U", 8)
    return "\\" + letter + String(repeating: "0", count: width - digits.count) + digits
  }
}
