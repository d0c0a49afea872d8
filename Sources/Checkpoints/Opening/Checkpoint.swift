import Tensors

/// A model on disk, opened: its description, its matrices and its tokenizer, whatever its format.
///
/// Opening maps the files and reads their headers, and of the weights what tells contents apart, and whether a head is the
/// embedding that it is tied to; the rest of them, and the tokenizer, are read when asked for.
public struct Checkpoint: Sendable {
  /// What the model is.
  public let description: ModelDescription
  /// Where each layer, norm and bias comes from, by name.
  let layers: [String: LayerSource]
  /// Tensors that are no layer of the model and that it does not compute with; they are exported as they are.
  let kept: [TensorEntry]
  let table: TensorTable
  /// Where settings and tokenizer are read from.
  package let source: CheckpointSource
  /// The files' tensors that make each layer, norm or bias.
  let layerTensors: [String: [String]]
  private let lastRead = LastReadLayer()

  init(
    description: ModelDescription, layers: [String: LayerSource], kept: [TensorEntry],
    table: TensorTable, source: CheckpointSource, layerTensors: [String: [String]]
  ) {
    self.description = description
    self.layers = layers
    self.kept = kept
    self.table = table
    self.source = source
    self.layerTensors = layerTensors
  }

  /// The weights of a layer by its name, for example `model.layers.3.mlp.up_proj`.
  ///
  /// Rows are in Hugging Face order. A tied LM head is no layer; it is the embedding. Layers that were quantized before they were
  /// saved are read here: codes that Vise holds as they are stored, others decoded.
  public func matrix(of layer: String) throws(CheckpointError) -> LayerWeights {
    guard let source = layers[layer] else {
      throw CheckpointError(
        file: description.path, tensor: layer, reason: "is not a layer of this model")
    }
    return source.isCopied ? try lastRead.weights(of: layer, from: source) : try source.read()
  }

  /// A norm's or a bias' values as they are stored, by name: `model.norm`, `model.layers.3.self_attn.q_proj.bias`.
  public func vector(named name: String) throws(CheckpointError) -> [Float] {
    let matrix = try matrix(of: name)
    guard matrix.rows == 1 || matrix.columns == 1 else {
      throw CheckpointError(file: description.path, tensor: name, reason: "is not a vector")
    }
    return matrix.decoded().values
  }

  /// Reads the tokenizer's vocabulary, merges and settings; takes longer than opening.
  public func tokenizerDefinition() throws(CheckpointError) -> TokenizerDefinition {
    try source.definition(vocabularySize: description.vocabularySize)
  }

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
      description: description, layers: matrices.mapValues { .weights($0) }, kept: kept,
      table: table, source: source, layerTensors: [:])
  }
}

extension Checkpoint {
  /// Opens a Hugging Face directory, a safetensors file inside one, a GGUF file, or what ``ModelLocation`` finds by name.
  ///
  /// Whatever has safetensors or GGUF opens; ``ModelDescription/abilities`` says what can be done with it.
  /// - Throws: ``CheckpointError`` naming the file, the tensor and the reason.
  public static func open(_ path: String) throws(CheckpointError) -> Checkpoint {
    let location = try ModelLocation.resolve(path)
    let contents: CheckpointContents
    switch location.files {
    case .directory(let directory, let weights):
      contents = try CheckpointContents(directory, path: path, weights: weights, at: location)
    case .gguf(let file):
      contents = try CheckpointContents(
        gguf: CheckpointFile.map(file), file: file, path: path, at: location)
    }
    let checkpoint = try Checkpoint(contents)
    // What is read of a file that was cut off meanwhile is zeros.
    if let damage = checkpoint.damage { throw damage }
    return checkpoint
  }
}

extension Checkpoint {
  /// A norm's or a bias' values as they multiply and add: what Hugging Face checkpoints leave out is added.
  package func values(of tensor: ModelTensor) throws(CheckpointError) -> [Float] {
    let values = try vector(named: tensor.name)
    return description.format == .huggingFace ? tensor.computed(values) : values
  }
}

extension Checkpoint {
  /// The format in which ``matrix(of:)`` will hold a layer's codes, known without reading them; nil where it has numbers,
  /// GGUF's blocks, or no such layer.
  public func heldFormat(of layer: String) -> WeightFormat? { layers[layer]?.heldFormat }
}
