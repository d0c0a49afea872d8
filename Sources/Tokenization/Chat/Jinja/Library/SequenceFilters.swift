// MARK: - Filters of lists that keep their order

extension TemplateInterpreter {
  func sequenceFilter(
    _ name: String, _ value: TemplateValue, _ arguments: CallArguments
  ) throws(ChatTemplateError) -> TemplateValue {
    switch name {
    case "batch": return try batch(value, arguments)
    case "slice": return try slices(value, arguments)
    default: _ = try bind(arguments, to: [], of: name)
    }
    switch name {
    case "list": return try sequence(.list, try elements(of: value))
    case "first":
      if case .generator(let place) = value {
        guard !generators[place].isEmpty else { return .undefined("there is no first item") }
        try step(generators[place].count / 16)
        return generators[place].removeFirst()
      }
      return try elements(of: value).first ?? .undefined("there is no first item")
    case "last":
      try require(value)
      if case .generator = value { throw error("a generator has no last item; make it a list") }
      return try elements(of: value).last ?? .undefined("there is no last item")
    case "reverse":
      if case .string(let text) = value {
        try allocate(text.count)
        return .string(text.reversed)
      }
      return try generator(try elements(of: value).reversed())
    default:
      switch value {
      case .undefined: return try generator([])
      case .dictionary(let dictionary):
        try allocate(16 * dictionary.keys.count)
        return try generator(dictionary.items)
      default: throw error("items takes a dictionary, not a \(value.typeName)")
      }
    }
  }

  private func batch(
    _ value: TemplateValue, _ arguments: CallArguments
  ) throws(ChatTemplateError) -> TemplateValue {
    let values = try bind(arguments, to: ["linecount", "fill_with"], of: "batch", required: 1)
    let count = try integer(values[0], 1, "batch")
    guard count > 0 else { throw error("batch makes rows of at least one") }
    let elements = try elements(of: value)
    var rows: [TemplateValue] = []
    for start in stride(from: 0, to: elements.count, by: count) {
      var row = Array(elements[start..<min(start &+ count, elements.count)])
      if let filling = values[1], !filling.isNone {
        try allocate(product(count - row.count, 4))
        row += Array(repeating: filling, count: count - row.count)
      }
      rows.append(try sequence(.list, row))
    }
    return try generator(rows)
  }

  private func slices(
    _ value: TemplateValue, _ arguments: CallArguments
  ) throws(ChatTemplateError) -> TemplateValue {
    let values = try bind(arguments, to: ["slices", "fill_with"], of: "slice", required: 1)
    let count = try integer(values[0], 1, "slice")
    guard count > 0 else { throw error("slice makes at least one") }
    try allocate(product(count, 16))
    let elements = try elements(of: value)
    let (size, longer) = elements.count.quotientAndRemainder(dividingBy: count)
    var rows: [TemplateValue] = []
    var start = 0
    for index in 0..<count {
      let end = start + size + (index < longer ? 1 : 0)
      var row = Array(elements[start..<end])
      if let filling = values[1], !filling.isNone, index >= longer { row.append(filling) }
      rows.append(try sequence(.list, row))
      start = end
    }
    return try generator(rows)
  }

  // MARK: - Picking elements and parts of them

  /// The value that a dotted path such as `function.name` leads to; the value itself without a path.
  func path(
    _ path: TemplateValue?, of value: TemplateValue, standard: TemplateValue? = nil
  ) throws(ChatTemplateError) -> TemplateValue {
    guard let path, !path.isNone else { return value }
    var parts = [path]
    if case .string(let text) = path {
      try scan(text.count)
      parts = text.split(".", limit: -1).map { part in
        part.isDigit ? Int(part.string).map { .integer($0) } ?? .string(part) : .string(part)
      }
    }
    var value = value
    for part in parts {
      try step()
      value = try item(part, of: value)
      if value.isUndefined, let standard { value = standard }
    }
    return value
  }

  func pickingFilter(
    _ name: String, _ value: TemplateValue, _ arguments: CallArguments
  ) throws(ChatTemplateError) -> TemplateValue {
    guard isTrue(value) else { return try generator([]) }
    var rest = arguments
    if name == "map" { return try map(value, rest) }
    var attribute: TemplateValue?
    if name.hasSuffix("attr") {
      guard !rest.positional.isEmpty else { throw error("\(name) needs an attribute's name") }
      attribute = rest.positional.removeFirst()
    }
    var testName: String?
    if !rest.positional.isEmpty {
      testName = try text(rest.positional.removeFirst(), name)?.string
    }
    let keeps = name.hasPrefix("select")
    var kept: [TemplateValue] = []
    for element in try elements(of: value) {
      try step()
      let part = try path(attribute, of: element)
      let holds = try testName.map { testName throws(ChatTemplateError) in
        try test(testName, part, rest)
      }
      if (holds ?? isTrue(part)) == keeps { kept.append(element) }
    }
    return try generator(kept)
  }

  private func map(
    _ value: TemplateValue, _ arguments: CallArguments
  ) throws(ChatTemplateError) -> TemplateValue {
    var rest = arguments
    var mapped: [TemplateValue] = []
    if rest.positional.isEmpty {
      let values = try bind(rest, to: ["attribute", "default"], of: "map", required: 1)
      let standard = values[1].flatMap { $0.isNone ? nil : $0 }
      for element in try elements(of: value) {
        try step()
        mapped.append(try path(values[0], of: element, standard: standard))
      }
    } else {
      guard let name = try text(rest.positional.removeFirst(), "map")?.string else {
        throw error("map needs a filter's name")
      }
      for element in try elements(of: value) { mapped.append(try filter(name, element, rest)) }
    }
    return try generator(mapped)
  }
}
