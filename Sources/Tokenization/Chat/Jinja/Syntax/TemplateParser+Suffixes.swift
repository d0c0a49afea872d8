// MARK: - Attributes, items, calls, filters and tests

extension TemplateParser {
  /// `.name`, `[item]` or `(arguments)`; nil if something else follows.
  mutating func accessSuffix() throws(ChatTemplateError) -> TemplateSuffix? {
    let line = line
    switch current.kind {
    case .mark("."):
      advance()
      if case .integer(let index) = current.kind {
        advance()
        return TemplateSuffix(kind: .item(.integer(index)), line: line)
      }
      return TemplateSuffix(kind: .attribute(try name()), line: line)
    case .mark("["):
      advance()
      let kind = try subscription()
      try expect(mark: "]")
      return TemplateSuffix(kind: kind, line: line)
    case .mark("("): return TemplateSuffix(kind: .call(try arguments()), line: line)
    default: return nil
    }
  }

  private mutating func subscription() throws(ChatTemplateError) -> TemplateSuffix.Kind {
    let start = isNext(mark: ":") ? nil : try expression()
    guard take(mark: ":") else {
      guard let start else { throw error("expected an index") }
      guard isNext(mark: ",") else { return .item(start) }
      var elements = [start]
      while take(mark: ",") { elements.append(try expression()) }
      return .item(.tuple(elements))
    }
    func isEnd(_ parser: TemplateParser) -> Bool {
      parser.isNext(mark: ":") || parser.isNext(mark: "]")
    }
    let end = isEnd(self) ? nil : try expression()
    let stride = take(mark: ":") && !isEnd(self) ? try expression() : nil
    return .slice(start: start, end: end, stride: stride)
  }

  /// `|filter`, `is test` or a call of what they give; nil if something else follows.
  mutating func filterSuffix() throws(ChatTemplateError) -> TemplateSuffix? {
    let line = line
    switch current.kind {
    case .mark("|"):
      advance()
      return try filter(line)
    case .name("is"):
      advance()
      return try test(line)
    case .mark("("): return TemplateSuffix(kind: .call(try arguments()), line: line)
    default: return nil
    }
  }

  /// The filters after a `set` or `filter` tag's name.
  mutating func filters(startsInline: Bool) throws(ChatTemplateError) -> [TemplateSuffix] {
    var filters: [TemplateSuffix] = []
    if startsInline { filters.append(try filter(line)) }
    while isNext(mark: "|") {
      let line = line
      advance()
      filters.append(try filter(line))
    }
    return filters
  }

  private mutating func filter(_ line: Int) throws(ChatTemplateError) -> TemplateSuffix {
    let name = try dottedName()
    let arguments = isNext(mark: "(") ? try arguments() : TemplateArguments()
    return TemplateSuffix(kind: .filter(name, arguments), line: line)
  }

  private mutating func dottedName() throws(ChatTemplateError) -> String {
    var name = try name()
    while take(mark: ".") {
      name += "." + (try self.name())
      guard name.utf8.count <= TemplateLexer.nameLimit else { throw error("a name is too long") }
    }
    return name
  }

  private mutating func test(_ line: Int) throws(ChatTemplateError) -> TemplateSuffix {
    let isNegated = take(name: "not")
    let name = try dottedName()
    var arguments = TemplateArguments()
    switch current.kind {
    case .mark("("): arguments = try self.arguments()
    case .name("else"), .name("or"), .name("and"): break
    case .name("is"): throw error("tests cannot be chained with is")
    case .name, .string, .integer, .number, .mark("["), .mark("{"):
      arguments.positional = [try argument()]
    default: break
    }
    return TemplateSuffix(kind: .test(name, arguments, isNegated: isNegated), line: line)
  }

  /// The argument of a test without parentheses: a value and what is taken from it.
  private mutating func argument() throws(ChatTemplateError) -> TemplateExpression {
    let value = try primary()
    var suffixes: [TemplateSuffix] = []
    while let suffix = try accessSuffix() { suffixes.append(suffix) }
    return suffixes.isEmpty ? value : .chained(value, suffixes)
  }

  private mutating func arguments() throws(ChatTemplateError) -> TemplateArguments {
    var arguments = TemplateArguments()
    try expect(mark: "(")
    var isFirst = true
    var names: Set<String> = []
    while !isNext(mark: ")") {
      if !isFirst { try expect(mark: ",") }
      if isNext(mark: ")") { break }
      isFirst = false
      if take(mark: "*") {
        guard arguments.unpacked == nil else { throw error("arguments are unpacked twice") }
        arguments.unpacked = try expression()
      } else if take(mark: "**") {
        guard arguments.unpackedNamed == nil else { throw error("arguments are unpacked twice") }
        arguments.unpackedNamed = try expression()
      } else if case .name(let name) = current.kind, follows(.mark("=")) {
        advance()
        advance()
        guard names.insert(name).inserted else {
          throw error("the argument \(name) is given twice")
        }
        arguments.named.append((name, try expression()))
      } else {
        guard arguments.named.isEmpty, arguments.unpacked == nil,
          arguments.unpackedNamed == nil
        else { throw error("an argument without a name follows one with a name") }
        arguments.positional.append(try expression())
      }
    }
    try expect(mark: ")")
    return arguments
  }
}
