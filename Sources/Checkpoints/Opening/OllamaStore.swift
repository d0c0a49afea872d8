import FoundationEssentials
import JSON

/// Ollama's models: a manifest a name and tag, whose layers are blobs called by their digests; one of them is a GGUF file.
struct OllamaStore: Sendable {
  /// The folder of `manifests` and `blobs`.
  let path: String

  static let prefix = "ollama:"
  private static let registry = "registry.ollama.ai"
  private static let modelType = "application/vnd.ollama.image.model"
  private static let adapterType = "application/vnd.ollama.image.adapter"

  /// A model that the store has.
  struct Model: Sendable {
    /// The GGUF file.
    let path: String
    let notes: [String]
  }

  /// The model called `name`, such as `llama3.2`, `user/model:tag` or `hf.co/org/name:Q4_K_M`; nil if the store has none such.
  ///
  /// - Throws: ``CheckpointError`` when its manifest cannot be read or names no GGUF file that is there.
  func model(_ name: String) throws(CheckpointError) -> Model? {
    guard let manifest = manifest(of: name), FileManager.default.fileExists(atPath: manifest)
    else { return nil }
    let layers = try JSONFile(path: manifest).root["layers"]?.array?.compactMap(\.object) ?? []
    func digest(_ type: String) -> String? {
      layers.first { $0["mediaType"]?.string == type }?["digest"]?.string
    }
    guard let digest = digest(Self.modelType), !digest.contains("/") else {
      throw CheckpointError(
        file: manifest, reason: "has no layer that is a GGUF file",
        hint: "give the directory or file that the model was made from")
    }
    let blob = "\(path)/blobs/\(digest.replacing(":", with: "-"))"
    guard FileManager.default.fileExists(atPath: blob) else {
      throw CheckpointError(
        file: blob, reason: "is missing, though the model \(name) is made of it",
        hint: "run `ollama pull \(name)`")
    }
    let adapts = layers.contains { $0["mediaType"]?.string == Self.adapterType }
    return Model(
      path: blob,
      notes: adapts ? ["Ollama adds an adapter to this model, which is not read"] : [])
  }

  /// All names that ``model(_:)`` knows, tags among them.
  var names: [String] {
    let root = "\(path)/manifests"
    let paths = (try? FileManager.default.subpathsOfDirectory(atPath: root)) ?? []
    return paths.compactMap { path in
      var parts = path.split(separator: "/").map(String.init)
      guard parts.count == 4, let tag = parts.popLast() else { return nil }
      if parts[0] == Self.registry { parts.removeFirst() }
      if parts[0] == "library" { parts.removeFirst() }
      return parts.joined(separator: "/") + ":" + tag
    }.sorted()
  }

  /// Where the manifest of a model would be; nil for what is no name.
  private func manifest(of name: String) -> String? {
    var parts = name.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard let last = parts.popLast(), parts.count <= 2 else { return nil }
    let model = last.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    guard model.count <= 2 else { return nil }
    let owner = parts.popLast() ?? "library"
    let whole = [
      parts.popLast() ?? Self.registry, owner, model[0], model.dropFirst().first ?? "latest",
    ]
    guard whole.allSatisfy(Self.isName) else { return nil }
    return "\(path)/manifests/" + whole.joined(separator: "/")
  }

  private static func isName(_ part: String) -> Bool {
    !part.isEmpty && !part.hasPrefix(".")
      && part.unicodeScalars.allSatisfy {
        $0.isASCII
          && ($0.properties.isAlphabetic || ("0"..."9").contains($0)
            || "._-".unicodeScalars.contains($0))
      }
  }
}
