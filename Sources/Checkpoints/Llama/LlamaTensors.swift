import Tensors

/// A tensor that a Llama model has, under the names that both formats give it.
package struct LlamaTensor: Hashable, Sendable {
  /// Hugging Face name without `.weight`.
  package let name: String
  /// llama.cpp's name without `.weight`.
  let ggufName: String
  /// nil for norms.
  package let role: Role?
  let block: Int?
  /// Rows and columns of a layer; the one size of a norm.
  package let shape: [Int]

  /// Every tensor of a model of the given shape, layers in the order of its description.
  static func all(of shape: LlamaShape) -> [LlamaTensor] {
    var tensors = [
      LlamaTensor(
        name: "model.embed_tokens", ggufName: Role.embedTokens.ggufName, role: .embedTokens,
        block: nil, shape: [shape.vocabularySize, shape.hiddenSize])
    ]
    for block in 0..<shape.blockCount { tensors += blockTensors(block, of: shape) }
    tensors.append(
      LlamaTensor(
        name: "model.norm", ggufName: "output_norm", role: nil, block: nil,
        shape: [shape.hiddenSize]))
    if !shape.tiesEmbeddings {
      tensors.append(
        LlamaTensor(
          name: "lm_head", ggufName: Role.head.ggufName, role: .head, block: nil,
          shape: [shape.vocabularySize, shape.hiddenSize]))
    }
    return tensors
  }

  private static func blockTensors(_ block: Int, of shape: LlamaShape) -> [LlamaTensor] {
    let (hidden, inner) = (shape.hiddenSize, shape.intermediateSize)
    let queries = shape.headCount * shape.headSize
    let keys = shape.keyValueHeadCount * shape.headSize
    let parts: [(String, String, Role?, [Int])] = [
      ("input_layernorm", "attn_norm", nil, [hidden]),
      ("self_attn.q_proj", Role.query.ggufName, .query, [queries, hidden]),
      ("self_attn.k_proj", Role.key.ggufName, .key, [keys, hidden]),
      ("self_attn.v_proj", Role.value.ggufName, .value, [keys, hidden]),
      ("self_attn.o_proj", Role.attentionOutput.ggufName, .attentionOutput, [hidden, queries]),
      ("post_attention_layernorm", "ffn_norm", nil, [hidden]),
      ("mlp.gate_proj", Role.gate.ggufName, .gate, [inner, hidden]),
      ("mlp.up_proj", Role.up.ggufName, .up, [inner, hidden]),
      ("mlp.down_proj", Role.down.ggufName, .down, [hidden, inner]),
    ]
    return parts.map { name, ggufName, role, shape in
      LlamaTensor(
        name: "model.layers.\(block).\(name)", ggufName: "blk.\(block).\(ggufName)", role: role,
        block: block, shape: shape)
    }
  }

  /// The name of this tensor in a file of `format`.
  package func storedName(in format: CheckpointFormat) -> String {
    (format == .gguf ? ggufName : name) + ".weight"
  }

  /// How a file of `format` orders the rows: llama.cpp's converter permutes those of q and k.
  func rowOrder(in format: CheckpointFormat, _ shape: LlamaShape) -> RowOrder {
    switch (format, role) {
    case (.gguf, .query): .interleavedHalves(heads: shape.headCount)
    case (.gguf, .key): .interleavedHalves(heads: shape.keyValueHeadCount)
    default: .plain
    }
  }
}

/// A layer or norm in the files: one tensor, or the several that make a quantized layer.
struct LocatedTensor: Sendable {
  let source: LayerSource
  /// The type of its weights once they are read.
  let type: ElementType
  /// Nil for weights that are stored as plain numbers.
  let scheme: StoredScheme?
  /// As the files name them.
  let tensorNames: [String]
  let byteCount: Int
}

extension LlamaTensor {
  /// Finds this layer or norm in the files and checks it against the configuration.
  func locate(
    in table: TensorTable, _ format: CheckpointFormat, _ shape: LlamaShape,
    quantization: Quantization?, settings: String
  ) throws(CheckpointError) -> LocatedTensor {
    if let role, let quantization,
      let layer = try quantization.layer(
        name, isEmbedding: role == .embedTokens, shape: self.shape, in: table)
    {
      return LocatedTensor(
        source: .quantized(layer), type: layer.type, scheme: layer.scheme,
        tensorNames: layer.tensorNames, byteCount: layer.byteCount)
    }
    let matrix = try stored(
      in: table, format, shape, settings: settings)
    return LocatedTensor(
      source: .weights(.stored(matrix)), type: matrix.type,
      scheme: matrix.type.isQuantized ? .block(matrix.type) : nil,
      tensorNames: [storedName(in: format)], byteCount: matrix.byteCount)
  }

  private func stored(
    in table: TensorTable, _ format: CheckpointFormat, _ shape: LlamaShape, settings: String
  ) throws(CheckpointError) -> StoredMatrix {
    let storedName = storedName(in: format)
    func fail(_ entry: TensorEntry?, _ reason: String, hint: String? = nil) -> CheckpointError {
      let file = entry.map { table.files[$0.file] } ?? table.name
      return CheckpointError(file: file, tensor: storedName, reason: reason, hint: hint)
    }
    guard let entry = table[storedName] else {
      if let error = Quantization.unexplained(layer: name, in: table) { throw error }
      throw fail(nil, "is missing", hint: "get the complete model from its source")
    }
    guard entry.shape == self.shape else {
      throw fail(
        entry, "has the shape \(entry.shape), where \(settings) makes it \(self.shape)",
        hint: "check that the configuration belongs to these weights")
    }
    guard let type = entry.type, type.isDecodable else {
      let readable = ElementType.allCases.filter {
        $0.isDecodable && (format == .gguf || !$0.isQuantized)
      }
      throw fail(
        entry, "type \(entry.typeName) is not read yet",
        hint: "this version reads \(readable.map(\.rawValue).joined(separator: ", "))")
    }
    let matrix = StoredMatrix(
      storage: table.storages[entry.file], offset: entry.offset, type: type,
      rows: self.shape.count == 2 ? self.shape[0] : 1, columns: self.shape.last ?? 1,
      rowOrder: rowOrder(in: format, shape))
    guard let matrix else { throw fail(entry, "does not fit in the file") }
    return matrix
  }

  /// Refuses tensors that would change what the model computes; buffers that it recomputes may stay.
  static func checkRest(
    of table: TensorTable, known: Set<String>, tied: Bool, isQuantized: Bool
  ) throws(CheckpointError) {
    for entry in table.entries where !known.contains(entry.name) {
      let isBuffer =
        entry.name.hasSuffix(".rotary_emb.inv_freq") || entry.name == "rope_freqs.weight"
      // Some exporters write the tied head a second time; transformers ignores it, too.
      let isTiedHead = tied && entry.name.hasPrefix("lm_head.weight")
      // Scales of cached keys and values, which this version does not quantize.
      let isOfCache =
        isQuantized && cacheParts.contains { entry.name.hasSuffix(".self_attn.\($0)") }
      if isBuffer || isTiedHead || isOfCache { continue }
      if let error = Quantization.unexplained(entry, in: table) { throw error }
      throw CheckpointError(
        file: table.files[entry.file], tensor: entry.name,
        reason: entry.name.hasSuffix(".bias")
          ? "is a bias, and biases are not supported" : "is no part of a Llama model",
        hint: "this version opens plain Llama models only")
    }
  }

  private static let cacheParts = [
    "q_scale", "k_scale", "v_scale", "q_zero_point", "k_zero_point", "v_zero_point",
  ]
}
