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
  /// As they were read, in the order of the file; each has a name of its own.
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
    if let damage = storage.damage { throw CheckpointError(damage) }
  }

  /// Writes the file so that it is complete at any time, or as it was before.
  ///
  /// - Throws: ``CheckpointError`` when it cannot be written.
  public func write(to path: String) throws(CheckpointError) {
    let layout = SafetensorsLayout(
      metadata: metadata,
      tensors: vectors.map {
        SafetensorsLayout.Tensor(name: $0.name, type: .float32, shape: [$0.values.count])
      })
    let values = Dictionary(
      vectors.map { ($0.name, $0.values) }, uniquingKeysWith: { first, _ in first })
    do throws(StorageError) {
      let file = try OutputFile(path: path)
      try file.write(layout.header)
      for place in layout.places {
        try file.write((values[place.tensor.name] ?? []).littleEndianBytes)
      }
      try file.commit()
    } catch {
      throw CheckpointError(error)
    }
  }
}
