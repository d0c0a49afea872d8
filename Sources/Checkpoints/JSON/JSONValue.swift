/// A JSON text's value.
///
/// Numbers without fraction and exponent are integers if they fit.
enum JSONValue: Hashable, Sendable {
  case null
  case bool(Bool)
  case integer(Int)
  case number(Double)
  case string(String)
  case array([JSONValue])
  case object(JSONObject)

  var string: String? {
    if case .string(let text) = self { text } else { nil }
  }

  var integer: Int? {
    if case .integer(let value) = self { value } else { nil }
  }

  var bool: Bool? {
    if case .bool(let value) = self { value } else { nil }
  }

  var array: [JSONValue]? {
    if case .array(let values) = self { values } else { nil }
  }

  var object: JSONObject? {
    if case .object(let object) = self { object } else { nil }
  }
}

/// A JSON object's members in the order of the text; no name occurs twice.
struct JSONObject: Hashable, Sendable {
  struct Member: Hashable, Sendable {
    let name: String
    let value: JSONValue
  }

  static let empty = JSONObject(members: [])

  let members: [Member]

  /// The value of the member called `name`, found in O(members).
  subscript(name: String) -> JSONValue? {
    members.first { $0.name == name }?.value
  }
}
