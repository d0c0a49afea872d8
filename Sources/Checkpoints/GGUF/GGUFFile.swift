import Tensors

/// A GGUF file to write, but for its tensors' elements: metadata and tensors (version 3, little-endian).
public struct GGUFFile: Hashable, Sendable {
  /// A metadata value.
  public enum Value: Hashable, Sendable {
    case uint32(UInt32)
    case int32(Int32)
    case float32(Float)
    case bool(Bool)
    case string(String)
    case uint8s([UInt8])
    case int32s([Int32])
    case float32s([Float])
    case bools([Bool])
    case strings([String])
    /// A value of any type as another file has it: the type's number and what follows it.
    case encoded([UInt8])
  }

  /// A metadata value under its key.
  public struct Field: Hashable, Sendable {
    public let key: String
    public var value: Value

    public init(_ key: String, _ value: Value) {
      self.key = key
      self.value = value
    }
  }

  /// A tensor without its elements.
  public struct Tensor: Hashable, Sendable {
    public let name: String
    /// As ggml names it.
    public let typeName: String
    /// Row-major: the last dimension's elements are neighbours.
    public let shape: [Int]
    public let byteCount: Int
    fileprivate let typeNumber: UInt32

    /// - Precondition: GGUF has the type, and rows are whole blocks of it.
    public init(name: String, type: ElementType, shape: [Int]) {
      guard let typeNumber = type.format.number,
        let byteCount = TensorEntry.byteCount(type, shape)
      else { preconditionFailure("GGUF holds no \(shape) of \(type.rawValue)") }
      self.name = name
      typeName = type.rawValue
      self.shape = shape
      self.byteCount = byteCount
      self.typeNumber = typeNumber
    }

    /// A tensor of any type that ggml numbers, such as is only copied; nil if it numbers none of that name.
    public init?(name: String, typeName: String, shape: [Int], byteCount: Int) {
      guard let typeNumber = GGUFTensorFields.number(ofTypeNamed: typeName) else { return nil }
      self.name = name
      self.typeName = typeName
      self.shape = shape
      self.byteCount = byteCount
      self.typeNumber = typeNumber
    }
  }

  /// In the order of the file.
  public var metadata: [Field]
  public var tensors: [Tensor]

  /// What tensors' offsets are multiples of; readers take it for granted where the metadata says nothing.
  public static let alignment = 32

  public init(metadata: [Field], tensors: [Tensor]) {
    self.metadata = metadata
    self.tensors = tensors
  }

  /// Where each tensor begins in the file after `headerCount` bytes of header.
  public func offsets(after headerCount: Int) -> [Int] {
    var offset = headerCount
    return tensors.map { tensor in
      defer { offset += Self.padded(tensor.byteCount) }
      return offset
    }
  }

  /// `count` bytes and the zeros after them.
  public static func padded(_ count: Int) -> Int {
    (count + alignment - 1) / alignment * alignment
  }

  /// Writes the file so that it is complete at any time, or as it was before.
  ///
  /// - Parameters:
  ///   - elements: of each tensor, ``Tensor/byteCount`` bytes.
  ///   - path: where it goes; a file there is replaced.
  /// - Throws: ``CheckpointError`` when it cannot be written.
  public func write(_ elements: [[UInt8]], to path: String) throws(CheckpointError) {
    precondition(elements.map(\.count) == tensors.map(\.byteCount), "elements of all tensors")
    do throws(StorageError) {
      let file = try OutputFile(path: path)
      try file.write(header)
      for bytes in elements { try file.write(Self.padded(bytes)) }
      try file.commit()
    } catch {
      throw CheckpointError(error)
    }
  }

  /// The whole file.
  ///
  /// - Parameter elements: of each tensor, ``Tensor/byteCount`` bytes.
  /// - Returns: what ``write(_:to:)`` writes.
  public func bytes(_ elements: [[UInt8]]) -> [UInt8] {
    precondition(elements.map(\.count) == tensors.map(\.byteCount), "elements of all tensors")
    return elements.reduce(into: header) { $0 += Self.padded($1) }
  }

  /// All that comes before the tensors' elements.
  public var header: [UInt8] {
    var bytes = UInt32(truncatingIfNeeded: GGUFHeader.magic).littleEndianBytes
    bytes += UInt32(3).littleEndianBytes
    bytes += UInt64(tensors.count).littleEndianBytes
    bytes += UInt64(metadata.count).littleEndianBytes
    for field in metadata { bytes += field.key.ggufBytes + field.value.bytes }
    for (tensor, offset) in zip(tensors, offsets(after: 0)) {
      bytes += tensor.name.ggufBytes
      bytes += UInt32(tensor.shape.count).littleEndianBytes
      for size in tensor.shape.reversed() { bytes += UInt64(size).littleEndianBytes }
      bytes += tensor.typeNumber.littleEndianBytes
      bytes += UInt64(offset).littleEndianBytes
    }
    return Self.padded(bytes)
  }

  private static func padded(_ bytes: [UInt8]) -> [UInt8] {
    bytes + Array(repeating: 0, count: padded(bytes.count) - bytes.count)
  }
}

extension GGUFFile.Value {
  /// The type's number and what follows it.
  fileprivate var bytes: [UInt8] {
    switch self {
    case .uint32(let value): Self.bytes(.uint32, value.littleEndianBytes)
    case .int32(let value): Self.bytes(.int32, value.littleEndianBytes)
    case .float32(let value): Self.bytes(.float32, value.bitPattern.littleEndianBytes)
    case .bool(let value): Self.bytes(.bool, [value ? 1 : 0])
    case .string(let text): Self.bytes(.string, text.ggufBytes)
    case .int32s(let values):
      Self.bytes(.int32, count: values.count, values.littleEndianBytes)
    case .uint8s(let values): Self.bytes(.uint8, count: values.count, values)
    case .float32s(let values):
      Self.bytes(.float32, count: values.count, values.map(\.bitPattern).littleEndianBytes)
    case .bools(let values):
      Self.bytes(.bool, count: values.count, values.map { $0 ? 1 : 0 })
    case .strings(let texts):
      Self.bytes(.string, count: texts.count, texts.flatMap(\.ggufBytes))
    case .encoded(let bytes): bytes
    }
  }

  private static func bytes(_ type: GGUFValueType, _ value: [UInt8]) -> [UInt8] {
    type.rawValue.littleEndianBytes + value
  }

  /// An array.
  private static func bytes(
    _ type: GGUFValueType, count: Int, _ elements: [UInt8]
  ) -> [UInt8] {
    bytes(.array, bytes(type, UInt64(count).littleEndianBytes + elements))
  }
}

extension String {
  /// The length and the text.
  fileprivate var ggufBytes: [UInt8] { UInt64(utf8.count).littleEndianBytes + Array(utf8) }
}
