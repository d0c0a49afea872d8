import FoundationEssentials
import Tensors

/// Where the files of a model are, found from what a person calls it.
package struct ModelLocation: Sendable {
  package enum Files: Sendable {
    /// A directory, with or without config.json; `weights` is the file in it that was named, if one was.
    case directory(HuggingFaceDirectory, weights: String?)
    /// A GGUF file, or the first part of one that was split.
    case gguf(path: String)
  }

  package let files: Files
  /// What people know the model by.
  package let name: String
  /// What was chosen of several that could have been meant: a sentence each.
  package let notes: [String]

  /// Finds a model.
  ///
  /// - Parameters:
  ///   - path: A directory, a file of weights in one, a GGUF file, a folder of Hugging Face's cache; or, where nothing is at that
  ///     path, a model in that cache as `org/name`, or one of Ollama's as `name:tag` or `ollama:name:tag`.
  ///   - homes: Where the cache and Ollama's models are.
  /// - Returns: Its files, not yet read.
  /// - Throws: ``CheckpointError`` saying what lies there instead, what lacks, or what was perhaps meant.
  package static func resolve(
    _ path: String, homes: ModelHomes = ModelHomes()
  ) throws(CheckpointError) -> ModelLocation {
    if FileManager.default.fileExists(atPath: path) {
      if let directory = HuggingFaceDirectory(path: path) { return try resolve(directory) }
      return try resolve(file: path)
    }
    if let error = CheckpointFile.goneBlob(path) { throw error }
    if let location = try named(path, homes: homes) { return location }
    throw missing(path, homes: homes)
  }

  private static func resolve(file path: String) throws(CheckpointError) -> ModelLocation {
    let storage = try CheckpointFile.map(path)
    let (parent, name) = PathName.split(path)
    if GGUFHeader.isGGUF(storage) {
      let whole = PartName(gguf: name)?.stem ?? name
      let title = whole.hasSuffix(".gguf") ? String(whole.dropLast(5)) : whole
      return ModelLocation(files: .gguf(path: path), name: title, notes: [])
    }
    guard let directory = HuggingFaceDirectory(path: parent) else {
      throw CheckpointError(file: path, reason: "is in a directory that cannot be read")
    }
    if name.hasSuffix(".json") { return try resolve(directory) }
    guard name.hasSuffix(".safetensors") || isSafetensors(storage) else {
      throw unknown(storage, path: path)
    }
    return ModelLocation(
      files: .directory(directory, weights: name), name: title(of: directory), notes: [])
  }

  /// Whether a file without the name of one begins like a safetensors file, as blobs in caches do.
  private static func isSafetensors(_ storage: ByteStorage) -> Bool {
    storage.count > 9 && storage.integer(at: 0, width: 8) <= UInt64(storage.count - 8)
      && storage.bytes(in: 8..<9) == [UInt8(ascii: "{")]
  }

  private static func unknown(_ storage: ByteStorage, path: String) -> CheckpointError {
    let isPickle =
      storage.count > 4 && storage.bytes(in: 0..<4) == [0x50, 0x4b, 3, 4]
      || [".bin", ".pt", ".pth", ".ckpt"].contains(where: path.hasSuffix)
    guard isPickle else {
      return CheckpointError(
        file: path, reason: "is neither a GGUF file nor part of a Hugging Face directory",
        hint: "give a directory with config.json and model.safetensors, or a GGUF file")
    }
    return CheckpointError(
      file: path, reason: "is a PyTorch file, which may hold programs and is not read",
      hint: "convert it to safetensors first")
  }

  /// What people know a directory by: in Hugging Face's cache that is not the snapshot's, which is a hash.
  static func title(of directory: HuggingFaceDirectory) -> String {
    let path = directory.path
    let isSnapshot = path.contains("/snapshots/")
    let repository = isSnapshot ? HubCache.repository(ofPath: path) : nil
    return PathName.last(repository ?? path)
  }
}

// MARK: - Names

extension ModelLocation {
  /// A model that programs keep under a name; nil if there is none.
  private static func named(
    _ name: String, homes: ModelHomes
  ) throws(CheckpointError) -> ModelLocation? {
    let isOllama = name.hasPrefix(OllamaStore.prefix)
    if !isOllama, isRepository(name) {
      let folder = homes.hub.folder(of: name)
      if HubCache.isRepository(folder) { return try repository(folder) }
    }
    let model = isOllama ? String(name.dropFirst(OllamaStore.prefix.count)) : name
    for store in homes.ollama {
      guard let found = try store.model(model) else { continue }
      return ModelLocation(
        files: .gguf(path: found.path), name: model,
        notes: ["opened Ollama's model \(model): \(found.path)"] + found.notes)
    }
    return nil
  }

  /// Whether `name` could be `org/name`, or one of the few without an owner.
  private static func isRepository(_ name: String) -> Bool {
    let parts = name.split(separator: "/", omittingEmptySubsequences: false)
    return parts.count <= 2 && parts.allSatisfy { !$0.isEmpty && !$0.hasPrefix(".") }
  }

  /// The snapshot of a folder of Hugging Face's cache.
  static func repository(_ folder: String) throws(CheckpointError) -> ModelLocation {
    let path = try HubCache.snapshot(in: folder)
    guard let directory = HuggingFaceDirectory(path: path) else {
      throw CheckpointError(file: path, reason: "cannot be read")
    }
    let inner = try resolve(directory)
    let revision = PathName.last(path)
    return ModelLocation(
      files: inner.files, name: inner.name,
      notes: ["opened revision \(revision) of Hugging Face's cache"] + inner.notes)
  }

  private static func missing(_ path: String, homes: ModelHomes) -> CheckpointError {
    var near = NearMisses.ofPath(path)
    if !path.hasPrefix("/"), !path.hasPrefix(".") {
      let isOllama = path.hasPrefix(OllamaStore.prefix)
      let known = isOllama ? [] : homes.hub.repositories
      let models = homes.ollama.flatMap(\.names)
      near += NearMisses.of(path, among: known + models + models.map { OllamaStore.prefix + $0 })
    }
    return CheckpointError(
      file: path, reason: "No such file or directory",
      hint: near.isEmpty ? nil : "did you mean \(near.joined(separator: " or "))?")
  }
}
