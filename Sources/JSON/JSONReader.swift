/// Where and why a text is not the JSON that ``JSONReader`` reads.
package struct JSONError: Error, Hashable {
  /// Byte offset in the text.
  package let offset: Int
  package let reason: String
}

/// Reads JSON (RFC 8259) from files that nobody vouches for.
///
/// Stricter than most: an object's names differ, depth and number of values are bounded, strings are
/// valid Unicode, numbers fit their type, and nothing follows the value.
package struct JSONReader {
  static let maximumDepth = 64
  static let maximumValues = 1 << 23

  private let bytes: [UInt8]
  private var position = 0
  private var valuesLeft = Self.maximumValues

  private init(_ bytes: [UInt8]) {
    self.bytes = bytes
  }

  /// The value that `bytes` spell.
  package static func read(_ bytes: [UInt8]) throws(JSONError) -> JSONValue {
    var reader = JSONReader(bytes)
    let value = try reader.value(depth: 0)
    reader.skipWhitespace()
    guard reader.position == bytes.count else { throw reader.error("more text after the value") }
    return value
  }

  private func error(_ reason: String) -> JSONError {
    JSONError(offset: position, reason: reason)
  }

  private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func skipWhitespace() {
    while let byte = next, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 {
      position += 1
    }
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard let byte = next, byte == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  private mutating func expect(_ character: Unicode.Scalar) throws(JSONError) {
    guard take(character) else { throw error("expected '\(character)'") }
  }

  private mutating func value(depth: Int) throws(JSONError) -> JSONValue {
    guard depth < Self.maximumDepth else {
      throw error("nested deeper than \(Self.maximumDepth) levels")
    }
    valuesLeft -= 1
    guard valuesLeft >= 0 else { throw error("more than \(Self.maximumValues) values") }
    skipWhitespace()
    switch next {
    case UInt8(ascii: "{"): return .object(try object(depth: depth))
    case UInt8(ascii: "["): return .array(try array(depth: depth))
    case UInt8(ascii: "\""): return .string(try text(stringBytes()))
    case UInt8(ascii: "t"): return try literal("true", .bool(true))
    case UInt8(ascii: "f"): return try literal("false", .bool(false))
    case UInt8(ascii: "n"): return try literal("null", .null)
    case .none: throw error("the text ends where a value should be")
    default: return try number()
    }
  }

  private mutating func object(depth: Int) throws(JSONError) -> JSONObject {
    try expect("{")
    var members: [JSONObject.Member] = []
    // Names are told apart by their bytes: String's == takes canonically equivalent ones for equal.
    var names: Set<[UInt8]> = []
    skipWhitespace()
    if take("}") { return JSONObject(members: []) }
    repeat {
      skipWhitespace()
      let start = position
      let name = try stringBytes()
      guard names.insert(name).inserted else {
        throw JSONError(offset: start, reason: "the name \"\(try text(name))\" occurs twice")
      }
      skipWhitespace()
      try expect(":")
      members.append(JSONObject.Member(name: try text(name), value: try value(depth: depth + 1)))
      skipWhitespace()
    } while take(",")
    try expect("}")
    return JSONObject(members: members)
  }

  private mutating func array(depth: Int) throws(JSONError) -> [JSONValue] {
    try expect("[")
    skipWhitespace()
    if take("]") { return [] }
    var values: [JSONValue] = []
    repeat {
      values.append(try value(depth: depth + 1))
      skipWhitespace()
    } while take(",")
    try expect("]")
    return values
  }

  private mutating func literal(
    _ word: StaticString, _ value: JSONValue
  ) throws(JSONError) -> JSONValue {
    for character in word.description.unicodeScalars { try expect(character) }
    return value
  }
}

// MARK: - Numbers and strings

extension JSONReader {
  private mutating func skipDigits() throws(JSONError) {
    let start = position
    while let byte = next, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") { position += 1 }
    guard position > start else { throw error("expected a digit") }
  }

  private mutating func number() throws(JSONError) -> JSONValue {
    let start = position
    _ = take("-")
    if !take("0") { try skipDigits() }
    var isInteger = true
    if take(".") {
      try skipDigits()
      isInteger = false
    }
    if take("e") || take("E") {
      if !take("+") { _ = take("-") }
      try skipDigits()
      isInteger = false
    }
    let digits = String(decoding: bytes[start..<position], as: UTF8.self)
    if isInteger, let value = Int(digits) { return .integer(value) }
    guard let value = Double(digits), value.isFinite else {
      throw JSONError(offset: start, reason: "the number is out of range")
    }
    return .number(value, text: digits)
  }

  private func text(_ bytes: [UInt8]) throws(JSONError) -> String {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw error("the string before is not valid UTF-8")
    }
    return text
  }

  /// The bytes of the string at the current position, its escapes resolved.
  private mutating func stringBytes() throws(JSONError) -> [UInt8] {
    try expect("\"")
    var result: [UInt8] = []
    var runStart = position
    while let byte = next {
      switch byte {
      case UInt8(ascii: "\""):
        result += bytes[runStart..<position]
        position += 1
        return result
      case UInt8(ascii: "\\"):
        result += bytes[runStart..<position]
        position += 1
        result += String(try escapedScalar()).utf8
        runStart = position
      case 0..<0x20: throw error("control character in a string")
      default: position += 1
      }
    }
    throw error("the string does not end")
  }

  private mutating func escapedScalar() throws(JSONError) -> Unicode.Scalar {
    guard let byte = next else { throw error("the string does not end") }
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
    case UInt8(ascii: "b"): return "\u{08}"
    case UInt8(ascii: "f"): return "\u{0c}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"):
      let first = try hexUnit()
      if let scalar = Unicode.Scalar(first) { return scalar }
      guard first < 0xdc00, take("\\"), take("u") else { throw error("half a surrogate pair") }
      let second = try hexUnit()
      guard (0xdc00..<0xe000).contains(second),
        let scalar = Unicode.Scalar(0x10000 + (first - 0xd800) << 10 + (second - 0xdc00))
      else { throw error("half a surrogate pair") }
      return scalar
    default: throw error("unknown escape")
    }
  }

  private mutating func hexUnit() throws(JSONError) -> UInt32 {
    guard position + 4 <= bytes.count else { throw error("the string does not end") }
    var unit: UInt32 = 0
    for byte in bytes[position..<position + 4] {
      guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        throw error("expected four hexadecimal digits")
      }
      unit = unit << 4 | UInt32(digit)
    }
    position += 4
    return unit
  }
}
