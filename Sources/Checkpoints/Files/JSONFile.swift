import Tensors
import JSON

/// A JSON object and the file that it came from.
package struct JSONFile: Settings, Sendable {
  package let file: String
  package let root: JSONObject

  /// Longest file or header that is read, in bytes: the bound that safetensors sets for headers.
  static let maximumBytes = 100_000_000

  init(file: String, root: JSONObject) {
    self.file = file
    self.root = root
  }

  /// Reads the file at `path` as one JSON object.
  init(path: String, limit: Int = maximumBytes) throws(CheckpointError) {
    let storage = try CheckpointFile.map(path)
    guard storage.count <= limit else {
      throw CheckpointError(
        file: path, reason: "holds \(storage.count) bytes of JSON, more than \(limit)")
    }
    self.file = path
    self.root = try Self.object(in: storage, 0..<storage.count, of: path)
  }

  /// The JSON object that the bytes in `range` spell.
  static func object(
    in storage: ByteStorage, _ range: Range<Int>, of file: String
  ) throws(CheckpointError) -> JSONObject {
    guard range.count <= maximumBytes else {
      throw CheckpointError(
        file: file, reason: "holds \(range.count) bytes of JSON, more than \(maximumBytes)")
    }
    let value: JSONValue
    do {
      value = try JSONReader.read(storage.bytes(in: range))
    } catch {
      throw CheckpointError(
        file: file,
        reason: "is not valid JSON at byte \(range.lowerBound + error.offset)"
          + " (\(error.reason))")
    }
    guard let object = value.object else {
      throw CheckpointError(file: file, reason: "holds JSON that is not an object")
    }
    return object
  }

  package func value(_ key: String) -> SettingValue? {
    switch root[key] {
    case .none, .null: nil
    case .some(let value): value.setting
    }
  }

  /// The member called `key` as a configuration of its own; nil if it is missing or null.
  func section(_ key: String) throws(CheckpointError) -> JSONFile? {
    switch root[key] {
    case .none, .null: return nil
    case .object(let object): return JSONFile(file: file, root: object)
    default: throw error("\(key) is not an object")
    }
  }
}

extension JSONValue {
  /// The value as a setting.
  var setting: SettingValue {
    switch self {
    case .bool(let value): .bool(value)
    case .integer(let value): .integer(value)
    case .number(let value, _): .number(value)
    case .string(let text): .text(text)
    case .null, .array, .object: .other
    }
  }

  /// Any number.
  var double: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .number(let value, _): value
    default: nil
    }
  }
}

extension CheckpointError {
  init(_ error: StorageError) {
    self.init(file: error.path, reason: error.reason)
  }
}
