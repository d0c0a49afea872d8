import FoundationEssentials
import Tensors
import JSON

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

  /// What is in it, sorted.
  var names: [String] { contents.sorted() }

  package func contains(_ name: String) -> Bool { contents.contains(name) }

  package func filePath(_ name: String) -> String {
    path.hasSuffix("/") ? path + name : "\(path)/\(name)"
  }

  /// The JSON file called `name`; nil if there is none.
  package func json(_ name: String) throws(CheckpointError) -> JSONFile? {
    guard contents.contains(name) else { return nil }
    return try JSONFile(
      path: filePath(name),
      limit: name.hasSuffix("config.json") ? Self.configLimit : JSONFile.maximumBytes)
  }

  /// Largest config.json, generation_config.json or tokenizer_config.json that is read, in bytes.
  private static let configLimit = 16 << 20

  /// The text file called `name`; nil if there is none or it is not UTF-8.
  ///
  /// - Throws: ``CheckpointError`` when it is there and cannot be read.
  package func text(_ name: String) throws(CheckpointError) -> String? {
    guard contents.contains(name) else { return nil }
    let storage = try CheckpointFile.map(filePath(name))
    guard storage.count <= JSONFile.maximumBytes else { return nil }
    return String(validating: storage.bytes(in: 0..<storage.count), as: UTF8.self)
  }

  /// All regular files and their bytes, links followed, by name; whether they can be read is seen when they are.
  package var files: [(name: String, byteCount: Int)] {
    contents.sorted().compactMap { name in
      guard let stamp = try? FileStamp(of: filePath(name)), stamp.isRegular else { return nil }
      return (name, stamp.byteCount)
    }
  }
}
