import Tensors

/// Reads a GGUF file's header field by field, checking each against the end of the file.
struct GGUFCursor {
  /// Deeper nested arrays are refused, so that a file cannot exhaust the stack.
  static let maximumDepth = 4

  let storage: ByteStorage
  let file: String
  private(set) var position: Int

  init(_ storage: ByteStorage, file: String, position: Int = 0) {
    self.storage = storage
    self.file = file
    self.position = position
  }

  var bytesLeft: Int { storage.count - position }

  func error(_ reason: String, tensor: String? = nil) -> CheckpointError {
    CheckpointError(
      file: file, tensor: tensor, reason: reason, hint: "get the file again from its source")
  }

  /// Steps over `count` bytes and returns where they are.
  mutating func skip(_ count: Int) throws(CheckpointError) -> Range<Int> {
    guard count >= 0, count <= bytesLeft else {
      throw error("the header ends early: \(count) bytes wanted, \(bytesLeft) left")
    }
    position += count
    return position - count..<position
  }

  mutating func unsigned(width: Int) throws(CheckpointError) -> UInt64 {
    let range = try skip(width)
    return storage.integer(at: range.lowerBound, width: width)
  }

  /// A 64-bit count of things that take at least `minimum` bytes each.
  mutating func count(minimum: Int, of what: String) throws(CheckpointError) -> Int {
    let count = try unsigned(width: 8)
    guard count <= UInt64(bytesLeft / minimum) else {
      throw error("the header claims \(count) \(what), more than the file can hold")
    }
    return Int(count)
  }

  /// Where the bytes of a string are.
  mutating func stringRange() throws(CheckpointError) -> Range<Int> {
    try skip(try count(minimum: 1, of: "bytes of text"))
  }

  /// A short string, such as a key or a tensor's name.
  mutating func name(limit: Int, of what: String) throws(CheckpointError) -> String {
    let range = try stringRange()
    guard (1...limit).contains(range.count) else {
      throw error("\(what) is \(range.count) bytes long, not 1 to \(limit)")
    }
    return try string(in: range)
  }

  func string(in range: Range<Int>) throws(CheckpointError) -> String {
    guard let text = String(validating: storage.bytes(in: range), as: UTF8.self) else {
      throw error("the text at byte \(range.lowerBound) is not valid UTF-8")
    }
    return text
  }

  mutating func valueType() throws(CheckpointError) -> GGUFValueType {
    let number = UInt32(try unsigned(width: 4))
    guard let type = GGUFValueType(rawValue: number) else {
      throw error("a metadata value has the unknown type \(number)")
    }
    return type
  }

  mutating func value(of type: GGUFValueType) throws(CheckpointError) -> GGUFValue {
    switch type {
    case .uint8: .integer(Int(try unsigned(width: 1)))
    case .uint16: .integer(Int(try unsigned(width: 2)))
    case .uint32: .integer(Int(try unsigned(width: 4)))
    case .uint64: Self.integer(try unsigned(width: 8))
    case .int8: .integer(Int(Int8(truncatingIfNeeded: try unsigned(width: 1))))
    case .int16: .integer(Int(Int16(truncatingIfNeeded: try unsigned(width: 2))))
    case .int32: .integer(Int(Int32(truncatingIfNeeded: try unsigned(width: 4))))
    case .int64: .integer(Int(truncatingIfNeeded: try unsigned(width: 8)))
    case .float32: .number(try float32())
    case .float64: .number(Double(bitPattern: try unsigned(width: 8)))
    case .bool: .bool(try unsigned(width: 1) != 0)
    case .string: .string(try stringRange())
    case .array: try array(depth: 0)
    }
  }

  /// The decimal that a person wrote: 1e-05, not the binary fraction nearest to it.
  private mutating func float32() throws(CheckpointError) -> Double {
    let value = Float(bitPattern: UInt32(truncatingIfNeeded: try unsigned(width: 4)))
    return Double(value.description) ?? Double(value)
  }

  private static func integer(_ value: UInt64) -> GGUFValue {
    Int(exactly: value).map(GGUFValue.integer) ?? .hugeInteger(value)
  }

  private mutating func array(depth: Int) throws(CheckpointError) -> GGUFValue {
    guard depth < Self.maximumDepth else {
      throw error("metadata arrays are nested deeper than \(Self.maximumDepth) levels")
    }
    let type = try valueType()
    let count = try count(minimum: type.width ?? 8, of: "array elements")
    let start = position
    if let width = type.width {
      _ = try skip(count * width)
    } else {
      for _ in 0..<count {
        if type == .string { _ = try stringRange() } else { _ = try array(depth: depth + 1) }
      }
    }
    return .array(type, count: count, start..<position)
  }
}
