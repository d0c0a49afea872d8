import Tensors

extension CheckpointContents {
  /// What a directory's files say; without a config.json they are tensors of an unknown architecture.
  init(
    _ directory: HuggingFaceDirectory, path: String, weights: String?, at location: ModelLocation
  ) throws(CheckpointError) {
    let config = try directory.json(HuggingFaceDirectory.config)
    let quantization = try config.flatMap { config throws(CheckpointError) in
      try Quantization(config: config, beside: directory.json("quantize_config.json"))
    }
    let table = try directory.tensors(only: weights)
    self.init(
      table: table, format: .huggingFace, source: .directory(directory), config: config,
      quantization: quantization, path: path, name: location.name,
      settings: config?.file ?? HuggingFaceDirectory.config,
      architecture: config.flatMap { try? $0.text.text("model_type") ?? $0.text("model_type") },
      notes: location.notes + table.notes)
  }

  /// The blocks of a decoder of an unknown architecture; nil where nothing says how many there are.
  var decoderBlockCount: Int? {
    switch source {
    case .directory:
      guard let config = try? config?.text,
        case .integer(let count) = config.value("num_hidden_layers")
      else { return nil }
      return count
    case .gguf(let header):
      guard let architecture,
        case .integer(let count) = header.value("\(architecture).block_count")
      else { return nil }
      guard case .integer(let further) = header.value("\(architecture).nextn_predict_layers"),
        further > 0, further < count
      else { return count }
      return count - further
    }
  }

  /// What a GGUF file says, with the other parts of a model that was split.
  init(
    gguf storage: ByteStorage, file: String, path: String, at location: ModelLocation
  ) throws(CheckpointError) {
    let files = try GGUFModelFiles(storage, path: file)
    self.init(
      table: files.table, format: .gguf, source: .gguf(files.header), config: nil,
      quantization: nil,
      path: path, name: location.name, settings: "its metadata",
      architecture: try files.header.text("general.architecture"),
      notes: location.notes + GGUFTokenizer.notes(on: files.header))
  }
}
