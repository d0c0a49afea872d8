import FoundationEssentials
import Text

/// A figure of a result, null in JSON when it is unknown or not finite.
struct Figure: Encodable {
  let value: Double?

  init(_ value: Double?) { self.value = value }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    if let value, value.isFinite {
      try container.encode(value)
    } else {
      try container.encodeNil()
    }
  }
}

/// A value of a result, null in JSON where there is none; a key that is documented is always there.
struct Nullable<Value: Encodable>: Encodable {
  let value: Value?

  init(_ value: Value?) { self.value = value }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    if let value { try container.encode(value) } else { try container.encodeNil() }
  }
}

/// Results for scripts: one JSON document on standard output, keys in snake case and sorted.
enum JSONOutput {
  /// Writes `result`.
  static func write(_ result: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let text = String(decoding: try encoder.encode(result), as: UTF8.self)
    OutputStream.standard.writeLine(DisplayText.json(text))
  }
}
