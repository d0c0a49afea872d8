/// A JSON text's value.
///
/// Numbers without fraction and exponent are integers if they fit.
package enum JSONValue: Hashable, Sendable {
  case null
  case bool(Bool)
  case integer(Int)
  case number(Double)
  case string(String)
  case array([JSONValue])
  case object(JSONObject)

  package var string: String? {
    if case .string(let text) = self { text } else { nil }
  }

  package var integer: Int? {
    if case .integer(let value) = self { value } else { nil }
  }

  package var bool: Bool? {
    if case .bool(let value) = self { value } else { nil }
  }

  package var array: [JSONValue]? {
    if case .array(let values) = self { values } else { nil }
  }

  package var object: JSONObject? {
    if case .object(let object) = self { object } else { nil }
  }
}

/// A JSON object's members in the order of the text; no name occurs twice.
package struct JSONObject: Hashable, Sendable {
  package struct Member: Hashable, Sendable {
    package let name: String
    package let value: JSONValue
  }

  package static let empty = JSONObject(members: [])

  package let members: [Member]

  /// The value of the member called `name`, found in O(members).
  package subscript(name: String) -> JSONValue? {
    members.first { $0.name == name }?.value
  }
}
