import FoundationEssentials

extension ModelLocation {
  /// Finds the model in a directory: its own, that of a folder of Hugging Face's cache, or its one GGUF file.
  static func resolve(_ directory: HuggingFaceDirectory) throws(CheckpointError) -> ModelLocation {
    if HubCache.isRepository(directory.path) { return try repository(directory.path) }
    if directory.hasWeights {
      return ModelLocation(
        files: .directory(directory, weights: nil), name: title(of: directory), notes: [])
    }
    let files = ggufFiles(in: directory)
    if let only = files.first, files.count == 1 {
      return ModelLocation(
        files: .gguf(path: directory.filePath(only)), name: String(only.dropLast(5)),
        notes: ["opened \(only), the one GGUF file of the directory"])
    }
    guard files.isEmpty else {
      throw CheckpointError(
        file: directory.path, reason: "holds \(files.count) GGUF files",
        hint: "give one of \(files.map(directory.filePath).listed())")
    }
    throw withoutModel(directory)
  }

  /// The GGUF files of a directory that models can be, of split ones the first parts.
  static func ggufFiles(in directory: HuggingFaceDirectory) -> [String] {
    let all = directory.names.filter { $0.hasSuffix(".gguf") }.filter { name in
      guard let part = PartName(name, suffix: ".gguf") else { return true }
      return part.index == 0
    }
    // Projectors of images and importance matrices lie beside the model that they are for.
    let models = all.filter { !$0.hasPrefix("mmproj") && !$0.contains("imatrix") }
    return models.isEmpty ? all : models
  }

  /// What a directory without weights is.
  private static func withoutModel(_ directory: HuggingFaceDirectory) -> CheckpointError {
    let models = directory.names.filter { name in
      guard let inner = HuggingFaceDirectory(path: directory.filePath(name)) else { return false }
      return inner.hasWeights || HubCache.isRepository(inner.path)
        || inner.names.contains { $0.hasSuffix(".gguf") }
    }
    if !models.isEmpty {
      return CheckpointError(
        file: directory.path,
        reason: models.count == 1
          ? "is not a model, but holds one" : "holds \(models.count) models",
        hint: (models.count == 1 ? "give " : "give one of ")
          + models.map(directory.filePath).listed())
    }
    if directory.names.contains("adapter_model.safetensors") {
      return CheckpointError(
        file: directory.path, reason: "is an adapter, and no model",
        hint: "merge it into the model that it was trained for, and save that")
    }
    let isOld = directory.names.contains { $0.hasPrefix("pytorch_model") }
    return CheckpointError(
      file: directory.path,
      reason: "holds neither \(HuggingFaceDirectory.singleFile) nor \(HuggingFaceDirectory.index)",
      hint: isOld
        ? "convert its pytorch_model files to safetensors first"
        : "give a Hugging Face directory or a GGUF file")
  }
}
