// MARK: - Tests, by name

extension TemplateInterpreter {
  private static let relations: [String: TemplateRelation] = [
    "eq": .equal, "equalto": .equal, "==": .equal, "ne": .notEqual, "!=": .notEqual,
    "lt": .less, "lessthan": .less, "<": .less, "le": .lessOrEqual, "<=": .lessOrEqual,
    "gt": .greater, "greaterthan": .greater, ">": .greater, "ge": .greaterOrEqual,
    ">=": .greaterOrEqual, "in": .within,
  ]

  private static let plainTests: Set<String> = [
    "boolean", "callable", "defined", "escaped", "even", "false", "filter", "float", "integer",
    "iterable", "lower", "mapping", "none", "number", "odd", "sequence", "string", "test", "true",
    "undefined", "upper",
  ]

  func test(
    _ name: String, _ value: TemplateValue, _ arguments: CallArguments
  ) throws(ChatTemplateError) -> Bool {
    try step()
    if let relation = Self.relations[name] {
      let other = try argument(of: name, arguments)
      return try holds(value, relation, other)
    }
    switch name {
    case "sameas": return try isSame(value, try argument(of: name, arguments))
    case "divisibleby":
      try require(value)
      let divisor = try argument(of: name, arguments)
      return try compute(value, .remainder, divisor) == .integer(0)
    default: break
    }
    guard Self.plainTests.contains(name) else { throw error("there is no test \(name)") }
    _ = try bind(arguments, to: [], of: name)
    switch name {
    case "odd", "even":
      try require(value)
      let remainder = try compute(value, .remainder, .integer(2))
      return remainder == .integer(name == "odd" ? 1 : 0)
    case "lower", "upper":
      let text = try written(value)
      try allocate(2 * text.count)
      return name == "lower" ? text.isLower : text.isUpper
    case "filter", "test":
      guard let text = value.text, text.count <= TemplateLexer.nameLimit else { return false }
      let asked = text.string
      if name == "filter" { return Self.filterNames.contains(asked) }
      return Self.plainTests.contains(asked) || Self.relations[asked] != nil
        || ["sameas", "divisibleby"].contains(asked)
    default: return Self.isOfType(name, value)
    }
  }

  private func argument(
    of name: String, _ arguments: CallArguments
  ) throws(ChatTemplateError) -> TemplateValue {
    guard let value = try bind(arguments, to: ["other"], of: name, required: 1)[0] else {
      throw error("\(name) needs an argument")
    }
    return value
  }

  private func isSame(
    _ left: TemplateValue, _ right: TemplateValue
  ) throws(ChatTemplateError) -> Bool {
    switch (left, right) {
    case (.sequence(let left), .sequence(let right)): left === right
    case (.dictionary(let left), .dictionary(let right)): left === right
    case (.undefined(let left), .undefined(let right)): left === right
    default: try areEqual(left, right) && left.typeName == right.typeName
    }
  }

  private static func isOfType(_ name: String, _ value: TemplateValue) -> Bool {
    switch (name, value) {
    case ("defined", _): !value.isUndefined
    case ("undefined", _): value.isUndefined
    case ("none", _): value.isNone
    case ("boolean", .boolean): true
    case ("true", .boolean(let value)): value
    case ("false", .boolean(let value)): !value
    case ("integer", .integer), ("float", .number): true
    case ("number", _): value.number != nil
    case ("string", .string), ("mapping", .dictionary): true
    case ("callable", .macro), ("callable", .function), ("callable", .loop): true
    case ("sequence", .string), ("sequence", .dictionary), ("sequence", .undefined): true
    case ("sequence", .sequence(let sequence)): sequence.kind.isIndexed
    case ("iterable", .string), ("iterable", .dictionary), ("iterable", .undefined),
      ("iterable", .sequence), ("iterable", .generator), ("iterable", .loop):
      true
    default: false
    }
  }
}
