import FoundationEssentials
import Tensors

/// A safetensors file of single-precision vectors with metadata, to write or as it was read.
///
/// The format is described at https://huggingface.co/docs/safetensors.
public struct SafetensorsFile: Hashable, Sendable {
  /// A named vector.
  public struct Vector: Hashable, Sendable {
    public let name: String
    public let values: [Float]

    public init(name: String, values: [Float]) {
      self.name = name
      self.values = values
    }
  }

  /// What the header says beside the tensors: texts by name.
  public var metadata: [String: String]
  /// In the order of the file.
  public var vectors: [Vector]

  public init(metadata: [String: String], vectors: [Vector]) {
    self.metadata = metadata
    self.vectors = vectors
  }

  /// Reads the file at `path`.
  ///
  /// - Throws: ``CheckpointError`` when it is damaged, or holds anything but vectors of F32.
  public init(path: String) throws(CheckpointError) {
    let storage: ByteStorage
    do { storage = try ByteStorage(mapping: path) } catch { throw CheckpointError(error) }
    let entries = try SafetensorsHeader.read(storage, name: path, file: 0)
    metadata = try SafetensorsHeader.metadata(storage, name: path)
    vectors = []
    for entry in entries.sorted(by: { $0.offset < $1.offset }) {
      guard entry.type == .float32, entry.shape.count == 1,
        let matrix = StoredMatrix(
          storage: storage, offset: entry.offset, type: .float32, rows: 1,
          columns: entry.shape[0])
      else {
        throw CheckpointError(
          file: path, tensor: entry.name, reason: "is not a vector of F32 with elements")
      }
      vectors.append(Vector(name: entry.name, values: matrix.decoded().values))
    }
  }

  /// Writes the file so that it is complete at any time, or as it was before.
  ///
  /// - Throws: ``CheckpointError`` when it cannot be written.
  public func write(to path: String) throws(CheckpointError) {
    do throws(StorageError) {
      let file = try OutputFile(path: path)
      let header = self.header
      try file.write(UInt64(header.count).littleEndianBytes + header)
      for vector in vectors {
        try file.write(vector.values.flatMap { $0.bitPattern.littleEndianBytes })
      }
      try file.commit()
    } catch {
      throw CheckpointError(error)
    }
  }

  /// The JSON header, filled up with spaces so that elements begin at a multiple of 8 bytes.
  private var header: [UInt8] {
    var members = ["\"__metadata__\":\(Self.json(metadata))"]
    var offset = 0
    for vector in vectors {
      let end = offset + 4 * vector.values.count
      members.append(
        "\(Self.json(vector.name)):{\"dtype\":\"F32\",\"shape\":[\(vector.values.count)],"
          + "\"data_offsets\":[\(offset),\(end)]}")
      offset = end
    }
    let text = Array("{\(members.joined(separator: ","))}".utf8)
    return text + Array(repeating: UInt8(ascii: " "), count: -text.count & 7)
  }

  private static func json(_ value: some Encodable) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    // Texts always have a JSON form.
    return (try? encoder.encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? "null"
  }
}
