import Tensors

extension LlamaShape {
  /// Reads the metadata that llama.cpp's converters write for the architecture `llama`.
  init(gguf: GGUFHeader, tensors: TensorTable) throws(CheckpointError) {
    let architecture = try gguf.text("general.architecture")
    guard architecture == "llama" else {
      throw Self.unsupported(architecture: architecture.map { "\"\($0)\"" } ?? "left out", gguf)
    }
    if gguf.value("llama.expert_count") != nil, gguf.value("llama.expert_count") != .integer(0) {
      throw Self.unsupported(architecture: "\"llama\" with experts", gguf)
    }
    hiddenSize = try gguf.size("llama.embedding_length")
    intermediateSize = try gguf.size("llama.feed_forward_length")
    blockCount = try gguf.size("llama.block_count", limit: Self.blockLimit)
    headCount = try gguf.size("llama.attention.head_count")
    keyValueHeadCount = try gguf.size("llama.attention.head_count_kv", standard: headCount)
    headSize =
      gguf.value("llama.attention.key_length") == nil
      ? try Self.headSize(hiddenSize: hiddenSize, headCount: headCount, gguf)
      : try gguf.size("llama.attention.key_length")
    for key in ["llama.attention.value_length", "llama.rope.dimension_count"] {
      let size = try gguf.size(key, standard: headSize)
      guard size == headSize else {
        throw gguf.error("\(key) is \(size), and only the head size \(headSize) is supported")
      }
    }
    let embedding = tensors["token_embd.weight"]?.shape.first ?? 0
    vocabularySize = try gguf.size("llama.vocab_size", standard: embedding)
    contextLength = try gguf.size("llama.context_length", limit: Self.contextLimit)
    normEpsilon = try gguf.number("llama.attention.layer_norm_rms_epsilon")
    tiesEmbeddings = tensors["output.weight"] == nil
    ropeTheta = try gguf.number("llama.rope.freq_base", standard: 10_000)
    let scalingType = try gguf.text("llama.rope.scaling.type") ?? "none"
    guard scalingType == "none" else { throw Self.unsupported(ropeScaling: scalingType, gguf) }
    if let factors = tensors["rope_freqs.weight"] {
      ropeScaling = try Self.ropeScaling(
        factors: factors, in: tensors, headSize: headSize, theta: ropeTheta, gguf)
    } else {
      ropeScaling = nil
    }
    try check(gguf)
  }

  /// Llama 3's rule behind the frequency factors that llama.cpp's converter stores in its place.
  private static func ropeScaling(
    factors entry: TensorEntry, in tensors: TensorTable, headSize: Int, theta: Double,
    _ gguf: GGUFHeader
  ) throws(CheckpointError) -> RopeScaling {
    guard entry.shape == [headSize / 2], entry.type == .float32,
      let row = StoredMatrix(
        storage: tensors.storages[entry.file], offset: entry.offset, type: .float32, rows: 1,
        columns: headSize / 2)
    else {
      throw CheckpointError(
        file: gguf.file, tensor: entry.name,
        reason: "is \(entry.shape) of \(entry.typeName), not [\(headSize / 2)] of F32")
    }
    let stored = row.decoded().values
    // Of the rule's four numbers, every published model changes the factor only.
    let scaling = RopeScaling(
      factor: Double(stored.max() ?? 1), lowFrequencyFactor: 1, highFrequencyFactor: 4,
      originalContextLength: 8192)
    let expected = scaling.divisors(headSize: headSize, theta: theta)
    guard zip(stored, expected).allSatisfy({ abs(Double($0) / $1 - 1) < 1e-4 }) else {
      throw unsupported(ropeScaling: "rope_freqs.weight other than Llama 3's", gguf)
    }
    return scaling
  }
}
