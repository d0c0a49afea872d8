import Glibc

// MARK: - Arithmetic and comparisons, as Python has them

extension TemplateInterpreter {
  /// Throws what was wrong with a value that should be there.
  func require(_ value: TemplateValue) throws(ChatTemplateError) {
    if case .undefined(let value) = value { throw error(value.reason) }
  }

  func negated(_ value: TemplateValue) throws(ChatTemplateError) -> TemplateValue {
    try require(value)
    if let integer = value.integer {
      guard integer != .min else { throw error("a number is too large") }
      return .integer(-integer)
    }
    guard let number = value.number else { throw error("- stands before a \(value.typeName)") }
    return .number(-number)
  }

  func compute(
    _ left: TemplateValue, _ operation: TemplateOperator, _ right: TemplateValue
  ) throws(ChatTemplateError) -> TemplateValue {
    try require(left)
    switch (left, operation, right) {
    case (.string(let format), .remainder, _): return .string(try self.format(format, right))
    case (.string(let left), .add, .string(let right)):
      try allocate(left.count + right.count)
      return .string(left + right)
    case (.sequence(let left), .add, .sequence(let right))
    where left.kind == right.kind && (left.kind == .list || left.kind.isTuple):
      return try sequence(left.kind, left.elements + right.elements)
    case (.string(let text), .multiply, _):
      if let count = right.integer { return .string(try repeated(text, count)) }
    case (_, .multiply, .string(let text)):
      if let count = left.integer { return .string(try repeated(text, count)) }
    case (.sequence(let sequence), .multiply, _)
    where sequence.kind == .list || sequence.kind.isTuple:
      if let count = right.integer { return try repeated(sequence, count) }
    case (_, .multiply, .sequence(let sequence))
    where sequence.kind == .list || sequence.kind.isTuple:
      if let count = left.integer { return try repeated(sequence, count) }
    default: break
    }
    try require(right)
    if let left = left.integer, let right = right.integer {
      return try compute(left, operation, right)
    }
    guard let left = left.number, let right = right.number else {
      throw error(
        "\(operation.rawValue) stands between a \(left.typeName) and a \(right.typeName)")
    }
    return .number(try compute(left, operation, right))
  }

  private func repeated(_ text: TemplateText, _ times: Int) throws(ChatTemplateError)
    -> TemplateText
  {
    try allocate(product(text.count, times))
    return text.repeated(text.isEmpty ? 0 : times)
  }

  private func repeated(
    _ values: TemplateSequence, _ times: Int
  ) throws(ChatTemplateError) -> TemplateValue {
    try allocate(product(values.elements.count, times))
    let rounds = values.elements.isEmpty ? 0 : max(times, 0)
    return try sequence(values.kind, (0..<rounds).flatMap { _ in values.elements })
  }

  /// A product of sizes, too large rather than wrong.
  func product(_ left: Int, _ right: Int) -> Int {
    let (product, overflows) = max(left, 0).multipliedReportingOverflow(by: max(right, 0))
    return overflows ? .max : product
  }

  private func compute(
    _ left: Int, _ operation: TemplateOperator, _ right: Int
  ) throws(ChatTemplateError) -> TemplateValue {
    let result: (partialValue: Int, overflow: Bool)
    switch operation {
    case .add: result = left.addingReportingOverflow(right)
    case .subtract: result = left.subtractingReportingOverflow(right)
    case .multiply: result = left.multipliedReportingOverflow(by: right)
    case .divide: return .number(try compute(Double(left), .divide, Double(right)))
    case .divideDown, .remainder:
      guard right != 0 else { throw error("divides by zero") }
      let (quotient, overflow) = left.dividedReportingOverflow(by: right)
      if overflow { throw error("a number is too large") }
      let remainder = left - quotient * right
      // Python rounds down, so that a remainder has the divisor's sign.
      let isBelow = remainder != 0 && (remainder < 0) != (right < 0)
      result =
        operation == .remainder
        ? (isBelow ? remainder + right : remainder, false)
        : (isBelow ? quotient - 1 : quotient, false)
    case .power:
      guard right >= 0 else { return .number(try compute(Double(left), .power, Double(right))) }
      result = Self.power(left, right)
    }
    guard !result.overflow else { throw error("a number is too large") }
    return .integer(result.partialValue)
  }

  private static func power(_ base: Int, _ exponent: Int) -> (partialValue: Int, overflow: Bool) {
    var (result, square, left) = (1, base, exponent)
    while left > 0 {
      if left & 1 == 1 {
        let (product, overflow) = result.multipliedReportingOverflow(by: square)
        if overflow { return (0, true) }
        result = product
      }
      left >>= 1
      guard left > 0 else { break }
      let (product, overflow) = square.multipliedReportingOverflow(by: square)
      if overflow { return (0, true) }
      square = product
    }
    return (result, false)
  }

  private func compute(
    _ left: Double, _ operation: TemplateOperator, _ right: Double
  ) throws(ChatTemplateError) -> Double {
    switch operation {
    case .add: return left + right
    case .subtract: return left - right
    case .multiply: return left * right
    case .power: return pow(left, right)
    case .divide, .divideDown, .remainder:
      guard right != 0 else { throw error("divides by zero") }
      if operation == .divide { return left / right }
      let down = (left / right).rounded(.down)
      return operation == .divideDown ? down : left - down * right
    }
  }

  // MARK: - Comparisons

  func compare(
    _ first: TemplateExpression,
    _ rest: [(relation: TemplateRelation, operand: TemplateExpression)]
  ) throws(ChatTemplateError) -> TemplateValue {
    var left = try evaluate(first)
    for (relation, operand) in rest {
      let right = try evaluate(operand)
      guard try holds(left, relation, right) else { return .boolean(false) }
      left = right
    }
    return .boolean(true)
  }

  func holds(
    _ left: TemplateValue, _ relation: TemplateRelation, _ right: TemplateValue
  ) throws(ChatTemplateError) -> Bool {
    switch relation {
    case .equal: return try areEqual(left, right)
    case .notEqual: return try !areEqual(left, right)
    case .less: return try precedes(left, right)
    case .greater: return try precedes(right, left)
    case .lessOrEqual: return try !precedes(right, left)
    case .greaterOrEqual: return try !precedes(left, right)
    case .within: return try contains(right, left)
    case .notWithin: return try !contains(right, left)
    }
  }

  func areEqual(_ left: TemplateValue, _ right: TemplateValue) throws(ChatTemplateError) -> Bool {
    try step(min(left.weight, right.weight) / 8)
    return left == right
  }

  func precedes(_ left: TemplateValue, _ right: TemplateValue) throws(ChatTemplateError) -> Bool {
    try require(left)
    try require(right)
    try step(min(left.weight, right.weight) / 8)
    guard let precedes = left.precedes(right) else {
      throw error("a \(left.typeName) and a \(right.typeName) have no order")
    }
    return precedes
  }

  func contains(
    _ container: TemplateValue, _ value: TemplateValue
  ) throws(ChatTemplateError) -> Bool {
    switch container {
    case .string(let text):
      try require(value)
      guard let part = value.text else {
        throw error("in looks for a \(value.typeName) in a string")
      }
      try scan(text.count + part.count)
      return text.contains(part)
    case .dictionary(let dictionary):
      guard value.isKey else { throw error("a \(value.typeName) cannot be a key") }
      try step(value.weight)
      return dictionary[value] != nil
    default:
      try step(container.weight / 8)
      return try elements(of: container).contains(value)
    }
  }
}
