import Tensors

/// A GGUF file to write: metadata, then tensors (version 3, little-endian).
public struct GGUFFile: Sendable {
  /// A metadata value.
  public enum Value: Hashable, Sendable {
    case uint32(UInt32)
    case string(String)
    case strings([String])
  }

  /// A tensor of single-precision numbers.
  public struct Tensor: Hashable, Sendable {
    public let name: String
    /// Row-major: the last dimension's elements are neighbours.
    public let shape: [Int]
    public let values: [Float]

    /// - Precondition: the shape holds as many elements as there are values.
    public init(name: String, shape: [Int], values: [Float]) {
      precondition(shape.reduce(1, *) == values.count, "as many values as the shape holds")
      self.name = name
      self.shape = shape
      self.values = values
    }
  }

  /// In the order of the file.
  public var metadata: [(key: String, value: Value)]
  public var tensors: [Tensor]

  /// What tensors' offsets are multiples of; readers take it for granted where the metadata says nothing.
  private static let alignment = 32

  public init(metadata: [(key: String, value: Value)], tensors: [Tensor]) {
    self.metadata = metadata
    self.tensors = tensors
  }

  /// Writes the file so that it is complete at any time, or as it was before.
  ///
  /// - Throws: ``CheckpointError`` when it cannot be written.
  public func write(to path: String) throws(CheckpointError) {
    do throws(StorageError) {
      let file = try OutputFile(path: path)
      try file.write(header)
      for tensor in tensors {
        try file.write(Self.padded(tensor.values.flatMap { $0.bitPattern.littleEndianBytes }))
      }
      try file.commit()
    } catch {
      throw CheckpointError(error)
    }
  }

  /// All that comes before the tensors' elements.
  private var header: [UInt8] {
    var bytes = UInt32(truncatingIfNeeded: GGUFHeader.magic).littleEndianBytes
    bytes += UInt32(3).littleEndianBytes
    bytes += UInt64(tensors.count).littleEndianBytes
    bytes += UInt64(metadata.count).littleEndianBytes
    for (key, value) in metadata { bytes += key.ggufBytes + value.bytes }
    var offset = 0
    for tensor in tensors {
      bytes += tensor.name.ggufBytes
      bytes += UInt32(tensor.shape.count).littleEndianBytes
      for size in tensor.shape.reversed() { bytes += UInt64(size).littleEndianBytes }
      bytes += GGUFTensorFields.float32.littleEndianBytes
      bytes += UInt64(offset).littleEndianBytes
      offset += Self.padded(count: tensor.values.count * MemoryLayout<Float>.size)
    }
    return Self.padded(bytes)
  }

  private static func padded(count: Int) -> Int { (count + alignment - 1) / alignment * alignment }

  private static func padded(_ bytes: [UInt8]) -> [UInt8] {
    bytes + Array(repeating: 0, count: padded(count: bytes.count) - bytes.count)
  }
}

extension GGUFFile.Value {
  /// The type's number and what follows it.
  fileprivate var bytes: [UInt8] {
    switch self {
    case .uint32(let value):
      GGUFValueType.uint32.rawValue.littleEndianBytes + value.littleEndianBytes
    case .string(let text): GGUFValueType.string.rawValue.littleEndianBytes + text.ggufBytes
    case .strings(let texts):
      GGUFValueType.array.rawValue.littleEndianBytes
        + GGUFValueType.string.rawValue.littleEndianBytes
        + UInt64(texts.count).littleEndianBytes + texts.flatMap(\.ggufBytes)
    }
  }
}

extension String {
  /// The length and the text.
  fileprivate var ggufBytes: [UInt8] { UInt64(utf8.count).littleEndianBytes + Array(utf8) }
}

extension FixedWidthInteger {
  /// As GGUF and safetensors files hold the number.
  var littleEndianBytes: [UInt8] {
    (0..<Self.bitWidth / 8).map { UInt8(truncatingIfNeeded: self >> ($0 * 8)) }
  }
}
