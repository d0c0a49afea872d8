// MARK: - Expressions, the loosest operators first

extension TemplateParser {
  /// An expression, or a tuple of several between commas.
  mutating func tuple(
    hasConditions: Bool = true, endsAt end: String? = nil, isInParentheses: Bool = false
  ) throws(ChatTemplateError) -> TemplateExpression {
    var elements: [TemplateExpression] = []
    var isTuple = false
    while true {
      if isNext(.printEnd) || isNext(.tagEnd) || isNext(mark: ")")
        || end.map({ isNext(name: $0) }) ?? false
      {
        break
      }
      elements.append(try hasConditions ? expression() : alternatives())
      guard take(mark: ",") else { break }
      isTuple = true
    }
    if !isTuple, let first = elements.first { return first }
    guard isTuple || isInParentheses else {
      throw error("expected an expression, found \(current.description)")
    }
    return .tuple(elements)
  }

  mutating func expression() throws(ChatTemplateError) -> TemplateExpression {
    try nested { parser throws(ChatTemplateError) in
      let value = try parser.alternatives()
      guard parser.take(name: "if") else { return value }
      let test = try parser.alternatives()
      let otherwise = parser.take(name: "else") ? try parser.expression() : nil
      return .conditional(test: test, then: value, otherwise: otherwise)
    }
  }

  private mutating func alternatives() throws(ChatTemplateError) -> TemplateExpression {
    var parts = [try conjunction()]
    while take(name: "or") { parts.append(try conjunction()) }
    return parts.count == 1 ? parts[0] : .any(parts)
  }

  private mutating func conjunction() throws(ChatTemplateError) -> TemplateExpression {
    var parts = [try negation()]
    while take(name: "and") { parts.append(try negation()) }
    return parts.count == 1 ? parts[0] : .all(parts)
  }

  private mutating func negation() throws(ChatTemplateError) -> TemplateExpression {
    var count = 0
    while take(name: "not") { count += 1 }
    let value = try comparison()
    if count == 0 { return value }
    return count % 2 == 1 ? .not(value) : .not(.not(value))
  }

  private mutating func comparison() throws(ChatTemplateError) -> TemplateExpression {
    let first = try sum()
    var rest: [(relation: TemplateRelation, operand: TemplateExpression)] = []
    while let relation = takeRelation() { rest.append((relation, try sum())) }
    return rest.isEmpty ? first : .comparison(first, rest)
  }

  private mutating func takeRelation() -> TemplateRelation? {
    switch current.kind {
    case .mark(let mark):
      guard let relation = TemplateRelation(rawValue: mark) else { return nil }
      advance()
      return relation
    case .name("in"):
      advance()
      return .within
    case .name("not") where follows(.name("in")):
      advance()
      advance()
      return .notWithin
    default: return nil
    }
  }

  private mutating func chain(
    _ operators: Set<TemplateOperator>,
    _ operand: (inout TemplateParser) throws(ChatTemplateError) -> TemplateExpression
  ) throws(ChatTemplateError) -> TemplateExpression {
    let first = try operand(&self)
    var rest: [(operation: TemplateOperator, operand: TemplateExpression)] = []
    while case .mark(let mark) = current.kind, let operation = TemplateOperator(rawValue: mark),
      operators.contains(operation)
    {
      advance()
      rest.append((operation, try operand(&self)))
    }
    return rest.isEmpty ? first : .arithmetic(first, rest)
  }

  private mutating func sum() throws(ChatTemplateError) -> TemplateExpression {
    try chain([.add, .subtract]) { parser throws(ChatTemplateError) in
      try parser.concatenation()
    }
  }

  private mutating func concatenation() throws(ChatTemplateError) -> TemplateExpression {
    var parts = [try product()]
    while take(mark: "~") { parts.append(try product()) }
    return parts.count == 1 ? parts[0] : .concatenation(parts)
  }

  private mutating func product() throws(ChatTemplateError) -> TemplateExpression {
    try chain([.multiply, .divide, .divideDown, .remainder]) { parser throws(ChatTemplateError) in
      try parser.power()
    }
  }

  private mutating func power() throws(ChatTemplateError) -> TemplateExpression {
    try chain([.power]) { parser throws(ChatTemplateError) in
      try parser.unary(hasFilters: true)
    }
  }

  private mutating func unary(hasFilters: Bool) throws(ChatTemplateError) -> TemplateExpression {
    let value: TemplateExpression
    if take(mark: "-") {
      value = .negative(
        try nested { parser throws(ChatTemplateError) in try parser.unary(hasFilters: false) })
    } else if take(mark: "+") {
      value = .positive(
        try nested { parser throws(ChatTemplateError) in try parser.unary(hasFilters: false) })
    } else {
      value = try primary()
    }
    var suffixes: [TemplateSuffix] = []
    while let suffix = try accessSuffix() { suffixes.append(suffix) }
    if hasFilters { while let suffix = try filterSuffix() { suffixes.append(suffix) } }
    return suffixes.isEmpty ? value : .chained(value, suffixes)
  }

  mutating func primary() throws(ChatTemplateError) -> TemplateExpression {
    let (kind, line) = (current.kind, line)
    switch kind {
    case .name(let name):
      advance()
      switch name {
      case "true", "True": return .boolean(true)
      case "false", "False": return .boolean(false)
      case "none", "None": return .none
      default:
        note(name)
        return .name(name, line: line)
      }
    case .string(var text):
      advance()
      while case .string(let more) = current.kind {
        text.elements += more.elements
        advance()
      }
      return .string(text)
    case .integer(let value):
      advance()
      return .integer(value)
    case .number(let value):
      advance()
      return .number(value)
    case .mark("("):
      advance()
      let inner = try nested { parser throws(ChatTemplateError) in
        try parser.tuple(isInParentheses: true)
      }
      try expect(mark: ")")
      return inner
    case .mark("["): return try list()
    case .mark("{"): return try dictionary()
    default: throw error("expected an expression, found \(current.description)")
    }
  }

  private mutating func list() throws(ChatTemplateError) -> TemplateExpression {
    var elements: [TemplateExpression] = []
    try expect(mark: "[")
    while !isNext(mark: "]") {
      if !elements.isEmpty { try expect(mark: ",") }
      if isNext(mark: "]") { break }
      elements.append(try expression())
    }
    try expect(mark: "]")
    return .list(elements)
  }

  private mutating func dictionary() throws(ChatTemplateError) -> TemplateExpression {
    var pairs: [(key: TemplateExpression, value: TemplateExpression)] = []
    try expect(mark: "{")
    while !isNext(mark: "}") {
      if !pairs.isEmpty { try expect(mark: ",") }
      if isNext(mark: "}") { break }
      let key = try expression()
      try expect(mark: ":")
      pairs.append((key, try expression()))
    }
    try expect(mark: "}")
    return .dictionary(pairs)
  }
}
