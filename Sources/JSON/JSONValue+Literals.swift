extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
  package init(stringLiteral text: String) { self = .string(text) }
  package init(integerLiteral value: Int) { self = .integer(value) }
  package init(booleanLiteral value: Bool) { self = .bool(value) }
  package init(arrayLiteral values: JSONValue...) { self = .array(values) }

  /// An object whose members stay in the order of the literal.
  package init(dictionaryLiteral members: (String, JSONValue)...) {
    self = .object(
      JSONObject(members: members.map { JSONObject.Member(name: $0.0, value: $0.1) }))
  }
}

extension JSONValue {
  /// A number in the fewest digits that tell it from all others; null if it is not finite.
  package init(_ number: Double) {
    self = number.isFinite ? .number(number, text: "\(number)") : .null
  }
}
