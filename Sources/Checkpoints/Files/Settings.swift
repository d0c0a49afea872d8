/// One value of a configuration.
package enum SettingValue: Hashable, Sendable {
  case integer(Int)
  case number(Double)
  case bool(Bool)
  case text(String)
  /// Something else: a list, an object, a number that fits no type.
  case other
}

/// A configuration's named values: config.json's members or a GGUF file's metadata.
package protocol Settings {
  /// Named in error messages.
  var file: String { get }
  /// The value called `key`; nil if there is none, or a null.
  func value(_ key: String) -> SettingValue?
}

extension Settings {
  /// A count or a dimension; `standard` if it is not given.
  func size(
    _ key: String, standard: Int? = nil, limit: Int = 1 << 24
  ) throws(CheckpointError) -> Int {
    guard let value = value(key) else {
      guard let standard else { throw error("\(key) is missing") }
      return standard
    }
    guard case .integer(let size) = value, (1...limit).contains(size) else {
      throw error("\(key) is \(value.text), not a whole number from 1 to \(limit)")
    }
    return size
  }

  /// A positive real number; `standard` if it is not given.
  func number(_ key: String, standard: Double? = nil) throws(CheckpointError) -> Double {
    let number: Double
    switch value(key) {
    case .integer(let value): number = Double(value)
    case .number(let value): number = value
    case .none:
      guard let standard else { throw error("\(key) is missing") }
      return standard
    case .some(let value): throw error("\(key) is \(value.text), not a number")
    }
    guard number.isFinite, number > 0 else { throw error("\(key) is \(number), not above zero") }
    return number
  }

  func text(_ key: String) throws(CheckpointError) -> String? {
    switch value(key) {
    case .none: return nil
    case .text(let text): return text
    case .some(let value): throw error("\(key) is \(value.text), not a string")
    }
  }

  func flag(_ key: String) throws(CheckpointError) -> Bool? {
    switch value(key) {
    case .none: return nil
    case .bool(let flag): return flag
    case .some(let value): throw error("\(key) is \(value.text), not true or false")
    }
  }

  func error(_ reason: String, hint: String? = nil) -> CheckpointError {
    CheckpointError(file: file, reason: reason, hint: hint)
  }
}

extension SettingValue {
  /// The value as messages quote it.
  var text: String {
    switch self {
    case .integer(let value): "\(value)"
    case .number(let value): "\(value)"
    case .bool(let value): "\(value)"
    case .text(let text): "\"\(text.prefix(60))\""
    case .other: "of another type"
    }
  }
}
