import Tensors

/// A model on disk, opened: its description, its matrices and its tokenizer, whatever its format.
///
/// Opening maps the files and reads their headers; weights and tokenizer are read when asked for.
public struct Checkpoint: Sendable {
  /// What the model is.
  public let description: ModelDescription
  /// Where each layer and norm comes from, by name.
  let layers: [String: LayerSource]
  private let lastRead = LastReadLayer()
  /// Where settings and tokenizer are read from.
  package let source: CheckpointSource

  /// Opens a Hugging Face directory, a safetensors file inside one, a GGUF file, or what ``ModelLocation`` finds by name.
  ///
  /// - Throws: ``CheckpointError`` naming the file, the tensor and the reason.
  public static func open(_ path: String) throws(CheckpointError) -> Checkpoint {
    let location = try ModelLocation.resolve(path)
    switch location.files {
    case .directory(let directory, let weights):
      return try Checkpoint(directory, path: path, weights: weights, at: location)
    case .gguf(let file):
      return try Checkpoint(gguf: CheckpointFile.map(file), file: file, path: path, at: location)
    }
  }

  /// The weights of a layer by its Hugging Face name, for example `model.layers.3.mlp.up_proj`.
  ///
  /// Rows are in Hugging Face order. A tied LM head is no layer; it is `model.embed_tokens`. Layers that
  /// compressed-tensors quantized are read here: integers as they are stored, floats decoded.
  public func matrix(of layer: String) throws(CheckpointError) -> LayerWeights {
    switch layers[layer] {
    case .weights(let weights): return weights
    case .quantized(let layer): return try lastRead.weights(of: layer)
    case nil:
      throw CheckpointError(
        file: description.path, tensor: layer, reason: "is not a layer of this model")
    }
  }

  /// A norm's weights by their Hugging Face name, for example `model.norm`.
  public func vector(named name: String) throws(CheckpointError) -> [Float] {
    let matrix = try matrix(of: name)
    guard matrix.rows == 1 else {
      throw CheckpointError(file: description.path, tensor: name, reason: "is not a vector")
    }
    return matrix.decoded().values
  }

  /// Reads the tokenizer's vocabulary, merges and settings; takes longer than opening.
  public func tokenizerDefinition() throws(CheckpointError) -> TokenizerDefinition {
    try source.definition(vocabularySize: description.vocabularySize)
  }
}

extension Checkpoint {
  /// A model made of this one's matrices, such as a pruned one, with the same tokenizer.
  ///
  /// - Parameters:
  ///   - description: What it is.
  ///   - matrices: The weights of its layers and, as matrices of one row, of its norms, by name.
  /// - Returns: A checkpoint that nothing distinguishes from an opened one.
  public func remade(
    as description: ModelDescription, of matrices: [String: LayerWeights]
  ) -> Checkpoint {
    Checkpoint(
      description: description, layers: matrices.mapValues { .weights($0) }, source: source)
  }

  private init(
    _ directory: HuggingFaceDirectory, path: String, weights: String?, at location: ModelLocation
  ) throws(CheckpointError) {
    guard let config = try directory.json(HuggingFaceDirectory.config) else {
      throw CheckpointError(
        file: directory.path, reason: "holds no config.json",
        hint: "give a directory with config.json and model.safetensors, or a GGUF file")
    }
    let shape = try LlamaShape(config: config)
    let table = try directory.tensors(only: weights)
    try self.init(
      shape, table, .huggingFace,
      quantization: Quantization(
        config: config, beside: directory.json("quantize_config.json")), path: path,
      at: location, settings: config.file, source: .directory(directory))
  }

  private init(
    gguf storage: ByteStorage, file: String, path: String, at location: ModelLocation
  ) throws(CheckpointError) {
    let header = try GGUFHeader(storage, file: file)
    let table = TensorTable(
      name: file, files: [file], storages: [storage], entries: header.entries)
    let shape = try LlamaShape(gguf: header, tensors: table)
    try self.init(
      shape, table, .gguf, quantization: nil, path: path, at: location, settings: "its metadata",
      source: .gguf(header))
  }

  private init(
    _ shape: LlamaShape, _ table: TensorTable, _ format: CheckpointFormat,
    quantization: Quantization?, path: String, at location: ModelLocation, settings: String,
    source: CheckpointSource
  ) throws(CheckpointError) {
    var sources: [String: LayerSource] = [:]
    var layers: [LayerDescription] = []
    var (parameterCount, tensorBytes) = (0, 0)
    var known: Set<String> = []
    let tensors = LlamaTensor.all(of: shape)
    for tensor in tensors {
      let located = try tensor.locate(
        in: table, format, shape, quantization: quantization, settings: settings)
      sources[tensor.name] = located.source
      known.formUnion(located.tensorNames)
      parameterCount += tensor.shape.reduce(1, *)
      tensorBytes += located.byteCount
      guard let role = tensor.role else { continue }
      layers.append(
        LayerDescription(
          name: tensor.name, role: role, block: tensor.block, rows: tensor.shape[0],
          columns: tensor.shape[1], type: located.type, scheme: located.scheme,
          bytes: located.byteCount))
    }
    try LlamaTensor.checkRest(
      of: table, known: known, tied: shape.tiesEmbeddings, isQuantized: quantization != nil)
    let names = layers.map { LayerName(name: $0.name, isEmbedding: $0.role == .embedTokens) }
    self.layers = sources
    self.source = source
    description = ModelDescription(
      name: location.name, path: path, format: format, architecture: "llama",
      hiddenSize: shape.hiddenSize, intermediateSize: shape.intermediateSize,
      blockCount: shape.blockCount, headCount: shape.headCount,
      keyValueHeadCount: shape.keyValueHeadCount, headSize: shape.headSize,
      vocabularySize: shape.vocabularySize, contextLength: shape.contextLength,
      ropeTheta: shape.ropeTheta, ropeScaling: shape.ropeScaling, normEpsilon: shape.normEpsilon,
      tiesEmbeddings: shape.tiesEmbeddings, parameterCount: parameterCount,
      tensorBytes: tensorBytes, fingerprint: TensorEntry.fingerprint(table.entries),
      layers: layers,
      notes: location.notes + table.notes + (quantization?.notes(on: names) ?? []))
  }
}
