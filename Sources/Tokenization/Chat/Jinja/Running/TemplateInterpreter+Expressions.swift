// MARK: - Expressions

extension TemplateInterpreter {
  func evaluate(_ expression: TemplateExpression) throws(ChatTemplateError) -> TemplateValue {
    try step()
    try enter()
    defer { leave() }
    switch expression {
    case .none: return .none
    case .boolean(let value): return .boolean(value)
    case .integer(let value): return .integer(value)
    case .number(let value): return .number(value)
    case .string(let text): return .string(text)
    case .name(let name, let line):
      self.line = line
      return variable(name)
    case .list(let elements): return try sequence(.list, try evaluate(elements))
    case .tuple(let elements): return try sequence(.tuple, try evaluate(elements))
    case .dictionary(let pairs):
      var values: [(key: TemplateValue, value: TemplateValue)] = []
      for pair in pairs { values.append((try evaluate(pair.key), try evaluate(pair.value))) }
      return try dictionary(values)
    case .chained(let value, let suffixes):
      return try apply(suffixes, to: try evaluate(value))
    case .negative(let operand): return try negated(try evaluate(operand))
    case .positive(let operand):
      let value = try evaluate(operand)
      guard value.number != nil else { throw error("+ stands before a \(value.typeName)") }
      return value.integer.map { .integer($0) } ?? value
    case .arithmetic(let first, let rest):
      var value = try evaluate(first)
      for (operation, operand) in rest {
        value = try compute(value, operation, try evaluate(operand))
      }
      return value
    case .concatenation(let parts):
      var texts: [TemplateText] = []
      for part in parts { texts.append(try written(try evaluate(part))) }
      try allocate(texts.reduce(0) { $0 + $1.count })
      return .string(TemplateText("").joining(texts))
    case .comparison(let first, let rest): return try compare(first, rest)
    case .not(let operand): return .boolean(!isTrue(try evaluate(operand)))
    case .all(let parts): return try firstPart(parts) { !isTrue($0) }
    case .any(let parts): return try firstPart(parts) { isTrue($0) }
    case .conditional(let test, let then, let otherwise):
      if isTrue(try evaluate(test)) { return try evaluate(then) }
      if let otherwise { return try evaluate(otherwise) }
      return .undefined("a condition without else does not hold")
    }
  }

  private func evaluate(
    _ expressions: [TemplateExpression]
  ) throws(ChatTemplateError) -> [TemplateValue] {
    var values: [TemplateValue] = []
    for expression in expressions { values.append(try evaluate(expression)) }
    return values
  }

  /// The first value that decides, or the last: `and` and `or` yield a part, not a boolean.
  private func firstPart(
    _ parts: [TemplateExpression], _ decides: (TemplateValue) -> Bool
  ) throws(ChatTemplateError) -> TemplateValue {
    var value = TemplateValue.none
    for part in parts {
      value = try evaluate(part)
      if decides(value) { break }
    }
    return value
  }

  private func variable(_ name: String) -> TemplateValue {
    if let value = scope[name] { return value }
    if let function = TemplateFunction.Global(rawValue: name) {
      return .function(.global(function))
    }
    return .undefined("\(name) is undefined")
  }

  func evaluate(_ arguments: TemplateArguments) throws(ChatTemplateError) -> CallArguments {
    var values = CallArguments()
    values.positional = try evaluate(arguments.positional)
    if let unpacked = arguments.unpacked {
      values.positional += try elements(of: try evaluate(unpacked))
    }
    for (name, value) in arguments.named { values.named.append((name, try evaluate(value))) }
    if let unpacked = arguments.unpackedNamed {
      guard case .dictionary(let dictionary) = try evaluate(unpacked) else {
        throw error("what is unpacked by ** is no dictionary")
      }
      var names = Set(values.named.map(\.name))
      for (key, value) in dictionary.pairs {
        try step(key.weight)
        guard let name = key.text?.string, names.insert(name).inserted else {
          throw error("an argument is given twice, or has no name")
        }
        values.named.append((name, value))
      }
    }
    return values
  }

  /// What a value becomes after attributes, items, calls, filters and tests.
  func apply(
    _ suffixes: [TemplateSuffix], to value: TemplateValue
  ) throws(ChatTemplateError) -> TemplateValue {
    var value = value
    for suffix in suffixes {
      try step()
      line = suffix.line
      switch suffix.kind {
      case .attribute(let name): value = try attribute(name, of: value)
      case .item(let index): value = try item(try evaluate(index), of: value)
      case .slice(let start, let end, let stride):
        value = try slice(value, try bound(start), try bound(end), try bound(stride))
      case .call(let arguments): value = try call(value, try evaluate(arguments))
      case .filter(let name, let arguments):
        value = try filter(name, value, try evaluate(arguments))
      case .test(let name, let arguments, let isNegated):
        let holds = try test(name, value, try evaluate(arguments))
        value = .boolean(holds != isNegated)
      }
    }
    return value
  }

  private func bound(_ expression: TemplateExpression?) throws(ChatTemplateError) -> Int? {
    guard let expression else { return nil }
    let value = try evaluate(expression)
    if value.isNone { return nil }
    guard let bound = value.integer else {
      throw error("a slice ends at a \(value.typeName), not at a whole number")
    }
    return bound
  }

  /// Whether Python takes a value for true.
  func isTrue(_ value: TemplateValue) -> Bool {
    switch value {
    case .undefined, .none: false
    case .boolean(let value): value
    case .integer(let value): value != 0
    case .number(let value): value != 0
    case .string(let text): !text.isEmpty
    case .sequence(let sequence): !sequence.elements.isEmpty
    case .dictionary(let dictionary): !dictionary.keys.isEmpty
    case .generator, .namespace, .loop, .macro, .function: true
    }
  }
}
