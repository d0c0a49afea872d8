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

  /// Opens a Hugging Face directory, a safetensors file inside one, or a GGUF file.
  ///
  /// - Throws: ``CheckpointError`` naming the file, the tensor and the reason.
  public static func open(_ path: String) throws(CheckpointError) -> Checkpoint {
    if let directory = HuggingFaceDirectory(path: path) {
      return try Checkpoint(directory, path: path, weights: nil)
    }
    let storage: ByteStorage
    do { storage = try ByteStorage(mapping: path) } catch { throw CheckpointError(error) }
    if GGUFHeader.isGGUF(storage) { return try Checkpoint(gguf: storage, path: path) }
    let (parent, name) = PathName.split(path)
    guard name.hasSuffix(".safetensors") || name.hasSuffix(".json"),
      let directory = HuggingFaceDirectory(path: parent)
    else {
      throw CheckpointError(
        file: path, reason: "is neither a GGUF file nor part of a Hugging Face directory",
        hint: "give a directory with config.json and model.safetensors, or a GGUF file")
    }
    return try Checkpoint(
      directory, path: path, weights: name.hasSuffix(".safetensors") ? name : nil)
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
    _ directory: HuggingFaceDirectory, path: String, weights: String?
  ) throws(CheckpointError) {
    guard let config = try directory.json(HuggingFaceDirectory.config) else {
      throw CheckpointError(
        file: directory.path, reason: "holds no config.json",
        hint: "give a directory with config.json and model.safetensors, or a GGUF file")
    }
    let shape = try LlamaShape(config: config)
    let table = try directory.tensors(only: weights)
    try self.init(
      shape, table, .huggingFace, quantization: QuantizationConfig(config: config), path: path,
      name: PathName.last(directory.path), settings: config.file, source: .directory(directory))
  }

  private init(gguf storage: ByteStorage, path: String) throws(CheckpointError) {
    let files = try GGUFModelFiles(storage, path: path)
    let shape = try LlamaShape(gguf: files.header, tensors: files.table)
    try self.init(
      shape, files.table, .gguf, quantization: nil, path: path, name: files.name,
      settings: "its metadata", source: .gguf(files.header))
  }

  private init(
    _ shape: LlamaShape, _ table: TensorTable, _ format: CheckpointFormat,
    quantization: QuantizationConfig?, path: String, name: String, settings: String,
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
    self.layers = sources
    self.source = source
    description = ModelDescription(
      name: name, path: path, format: format, architecture: "llama",
      hiddenSize: shape.hiddenSize, intermediateSize: shape.intermediateSize,
      blockCount: shape.blockCount, headCount: shape.headCount,
      keyValueHeadCount: shape.keyValueHeadCount, headSize: shape.headSize,
      vocabularySize: shape.vocabularySize, contextLength: shape.contextLength,
      ropeTheta: shape.ropeTheta, ropeScaling: shape.ropeScaling, normEpsilon: shape.normEpsilon,
      tiesEmbeddings: shape.tiesEmbeddings, parameterCount: parameterCount,
      tensorBytes: tensorBytes, fingerprint: TensorEntry.fingerprint(table.entries),
      layers: layers, notes: quantization?.notes(on: tensors) ?? [])
  }
}
