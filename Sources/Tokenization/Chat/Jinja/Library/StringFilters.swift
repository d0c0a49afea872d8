// MARK: - Filters of strings

extension TemplateInterpreter {
  func stringFilter(
    _ name: String, _ value: TemplateValue, _ arguments: CallArguments
  ) throws(ChatTemplateError) -> TemplateValue {
    guard Self.filterNames.contains(name) else {
      throw error("the filter \(name) is not known to this version")
    }
    if name == "join" { return try join(value, arguments) }
    if name == "indent" || name == "truncate" { try require(value) }
    let text = try written(value)
    try allocate(2 * text.count)
    switch name {
    case "trim":
      let characters = try bind(arguments, to: ["chars"], of: name)[0]
      return .string(text.stripped(try stripped(characters, name)))
    case "replace":
      let values = try bind(arguments, to: ["old", "new", "count"], of: name, required: 2)
      let old = try written(values[0] ?? .none)
      let new = try written(values[1] ?? .none)
      return .string(try replace(text, old, new, limit: try integer(values[2], -1, name)))
    case "format": return .string(try format(text, arguments))
    case "center":
      let width = try integer(try bind(arguments, to: ["width"], of: name)[0], 80, name)
      return .string(try padded(text, to: width, with: " ", name))
    case "indent": return .string(try indent(text, arguments))
    case "truncate": return .string(try truncate(text, arguments))
    default:
      _ = try bind(arguments, to: [], of: name)
      switch name {
      case "upper": return .string(text.uppercased)
      case "lower": return .string(text.lowercased)
      case "capitalize": return .string(text.capitalized)
      case "title": return .string(text.titledWords)
      case "wordcount": return .integer(Self.wordCount(text))
      case "urlencode": return .string(try urlEncoded(text))
      default: return .string(try escaped(text))
      }
    }
  }

  private func join(
    _ value: TemplateValue, _ arguments: CallArguments
  ) throws(ChatTemplateError) -> TemplateValue {
    let values = try bind(arguments, to: ["d", "attribute"], of: "join")
    let separator = try values[0].map { value throws(ChatTemplateError) in try written(value) }
    var texts: [TemplateText] = []
    for element in try elements(of: value) {
      try step()
      let part = try path(values[1], of: element)
      texts.append(try written(part))
    }
    return .string(try join(texts, separator ?? ""))
  }

  private func indent(
    _ text: TemplateText, _ arguments: CallArguments
  ) throws(ChatTemplateError) -> TemplateText {
    let values = try bind(arguments, to: ["width", "first", "blank"], of: "indent")
    let indention: TemplateText
    if case .string(let text)? = values[0] {
      indention = text
    } else {
      let width = max(try integer(values[0], 4, "indent"), 0)
      try allocate(width)
      indention = TemplateText(" ").repeated(width)
    }
    let (first, blank) = (values[1].map(isTrue) ?? false, values[2].map(isTrue) ?? false)
    // A last line break is a line of its own.
    var lines = (text + "\n").lines()
    try allocate(product(lines.count, indention.count + 2))
    for index in lines.indices where index > 0 && (blank || !lines[index].isEmpty) {
      lines[index] = indention + lines[index]
    }
    let result = TemplateText("\n").joining(lines)
    return first ? indention + result : result
  }

  private func truncate(
    _ text: TemplateText, _ arguments: CallArguments
  ) throws(ChatTemplateError) -> TemplateText {
    let values = try bind(
      arguments, to: ["length", "killwords", "end", "leeway"], of: "truncate")
    let length = try integer(values[0], 255, "truncate")
    let ending = try self.text(values[2], "truncate") ?? "..."
    let leeway = try integer(values[3], 5, "truncate")
    guard length >= ending.count, leeway >= 0 else {
      throw error("truncate keeps at least what it ends a text with")
    }
    if text.count - leeway <= length { return text }
    let cut = text[0..<length - ending.count]
    if values[1].map(isTrue) ?? false { return cut + ending }
    return (cut.splitFromRight(" ", limit: 1).first ?? cut) + ending
  }

  private static func wordCount(_ text: TemplateText) -> Int {
    var (count, isInside) = (0, false)
    for element in text.elements {
      let properties = TemplateText.scalar(element).properties
      let isWord =
        TemplateText.isLetter(properties) || properties.numericType != nil
        || element & ~TemplateText.inputMark == 0x5f
      if isWord, !isInside { count += 1 }
      isInside = isWord
    }
    return count
  }

  /// Each character as `map` spells it, with its mark; nil leaves it.
  private func spelled(
    _ text: TemplateText, growth: Int, _ map: (UInt32) -> String?
  ) throws(ChatTemplateError) -> TemplateText {
    try allocate(product(text.count, growth))
    var result: [UInt32] = []
    for element in text.elements {
      let mark = element & TemplateText.inputMark
      if let spelling = map(element & ~TemplateText.inputMark) {
        result += spelling.unicodeScalars.map { $0.value | mark }
      } else {
        result.append(element)
      }
    }
    return TemplateText(elements: result)
  }

  private func urlEncoded(_ text: TemplateText) throws(ChatTemplateError) -> TemplateText {
    try spelled(text, growth: 12) { scalar in
      let isKept =
        (0x30...0x39).contains(scalar) || (0x61...0x7a).contains(scalar)
        || (0x41...0x5a).contains(scalar) || [0x5f, 0x2e, 0x2d, 0x7e, 0x2f].contains(scalar)
      if isKept { return nil }
      return String(TemplateText.scalar(scalar)).utf8.map { byte in
        let digits = String(byte, radix: 16, uppercase: true)
        return (byte < 16 ? "%0" : "%") + digits
      }.joined()
    }
  }

  private func escaped(_ text: TemplateText) throws(ChatTemplateError) -> TemplateText {
    try spelled(text, growth: 5) { scalar in
      switch scalar {
      case 0x26: "&amp;"
      case 0x3c: "&lt;"
      case 0x3e: "&gt;"
      case 0x27: "&#39;"
      case 0x22: "&#34;"
      default: nil
      }
    }
  }
}
