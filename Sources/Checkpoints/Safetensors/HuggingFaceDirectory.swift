import FoundationEssentials
import Tensors

/// The files of a Hugging Face checkpoint.
package struct HuggingFaceDirectory: Sendable {
  package let path: String
  private let contents: Set<String>

  package static let config = "config.json"
  static let singleFile = "model.safetensors"
  static let index = "model.safetensors.index.json"

  /// The directory at `path`; nil if there is none.
  init?(path: String) {
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: path) else { return nil }
    self.path = path
    contents = Set(names)
  }

  package func filePath(_ name: String) -> String {
    path.hasSuffix("/") ? path + name : "\(path)/\(name)"
  }

  func contains(_ name: String) -> Bool { contents.contains(name) }

  /// The JSON file called `name`; nil if there is none.
  package func json(_ name: String) throws(CheckpointError) -> JSONFile? {
    contents.contains(name) ? try JSONFile(path: filePath(name)) : nil
  }

  /// The text file called `name`; nil if there is none or it is not UTF-8.
  package func text(_ name: String) -> String? {
    guard contents.contains(name), let storage = try? ByteStorage(mapping: filePath(name)),
      storage.count <= JSONFile.maximumBytes
    else { return nil }
    return String(validating: storage.bytes(in: 0..<storage.count), as: UTF8.self)
  }

  /// All regular files and their bytes, links followed, by name.
  package var files: [(name: String, byteCount: Int)] {
    contents.sorted().compactMap { name in
      (try? ByteStorage(mapping: filePath(name))).map { (name, $0.count) }
    }
  }

  /// Maps the weight files and reads their headers: the single file's, or all shards'.
  ///
  /// If `only` names a file that is no shard, that one is read.
  func tensors(only: String?) throws(CheckpointError) -> TensorTable {
    if let index = try shards(), only.map(index.files.contains) ?? true {
      return try read(index.files, expecting: index.places)
    }
    let name = only ?? Self.singleFile
    guard contents.contains(name) else { throw missingWeights() }
    return try read([name], expecting: [:])
  }

  private struct ShardIndex {
    let files: [String]
    /// The file that should hold each tensor.
    let places: [String: String]
  }

  /// The shards that the index lists; nil if the weights are in one file.
  private func shards() throws(CheckpointError) -> ShardIndex? {
    guard !contents.contains(Self.singleFile), let index = try json(Self.index) else { return nil }
    guard let map = try index.section("weight_map") else {
      throw index.error("weight_map is missing")
    }
    var places: [String: String] = [:]
    for member in map.root.members {
      // A name with a slash could lead out of the directory.
      guard let file = member.value.string, file.hasSuffix(".safetensors"), !file.contains("/")
      else {
        throw CheckpointError(
          file: index.file, tensor: member.name, reason: "is not mapped to a safetensors file")
      }
      places[member.name] = file
    }
    return ShardIndex(files: Set(places.values).sorted(), places: places)
  }

  private func read(
    _ files: [String], expecting places: [String: String]
  ) throws(CheckpointError) -> TensorTable {
    var storages: [ByteStorage] = []
    var entries: [TensorEntry] = []
    var found: [String: String] = [:]
    for (number, file) in files.enumerated() {
      let storage: ByteStorage
      do {
        storage = try ByteStorage(mapping: filePath(file))
      } catch { throw CheckpointError(error) }
      storages.append(storage)
      let header = try SafetensorsHeader.read(storage, name: filePath(file), file: number)
      for entry in header {
        if let other = found.updateValue(file, forKey: entry.name) {
          throw CheckpointError(
            file: filePath(file), tensor: entry.name, reason: "is also stored in \(other)")
        }
      }
      entries += header
    }
    for (tensor, file) in places.sorted(by: { $0.key < $1.key }) where found[tensor] != file {
      throw CheckpointError(
        file: filePath(file), tensor: tensor, reason: "is missing, though \(Self.index) lists it",
        hint: "get this file again from its source")
    }
    return TensorTable(
      name: files.count == 1 ? filePath(files[0]) : path, files: files.map(filePath),
      storages: storages, entries: entries)
  }

  private func missingWeights() -> CheckpointError {
    if let gguf = contents.filter({ $0.hasSuffix(".gguf") }).min() {
      return CheckpointError(
        file: path, reason: "holds no \(Self.singleFile)", hint: "open \(filePath(gguf)) itself")
    }
    let old = contents.contains { $0.hasPrefix("pytorch_model") }
    return CheckpointError(
      file: path, reason: "holds neither \(Self.singleFile) nor \(Self.index)",
      hint: old
        ? "convert its pytorch_model files to safetensors first"
        : "give a Hugging Face directory or a GGUF file")
  }
}
