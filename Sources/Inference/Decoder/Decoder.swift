import Checkpoints
import Tensors

/// A Llama model that runs: a slot of weights for each layer.
///
/// A decoder is a value. A copy shares the weights of all layers until their slots are set, so that the reference
/// and a compressed model take the memory of one model and of the compressed layers.
public struct Decoder: Sendable {
  public let description: ModelDescription
  /// The blocks that run, by index and in order: all, unless some are left out.
  public private(set) var runningBlocks: [Int]
  let pool: WorkerPool
  var embedding: LayerWeights
  /// nil when the head is the embedding.
  var head: LayerWeights?
  var blocks: [DecoderBlock]
  var finalNorm: [Float]
  let rotary: RotaryEmbedding
  let attention: Attention
  let places: [String: LayerDescription]

  /// A decoder of the given weights, by Hugging Face name without `.weight`.
  ///
  /// Layers in GGUF's quantized blocks are repacked, code for code.
  /// - Throws: ``InferenceError`` when the architecture does not run, or weights are missing or misshapen.
  public init(
    description: ModelDescription, layers: [String: LayerWeights], norms: [String: [Float]],
    pool: WorkerPool
  ) throws(InferenceError) {
    try Self.check(description)
    self.description = description
    self.pool = pool
    let places = Dictionary(
      description.layers.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    self.places = places

    func weights(_ name: String) throws(InferenceError) -> LayerWeights {
      guard let place = places[name], let stored = layers[name] else {
        throw .missing(name: name)
      }
      try Self.check(stored, fits: place)
      return Self.runnable(stored, on: pool)
    }
    func norm(_ name: String) throws(InferenceError) -> [Float] {
      guard let norm = norms[name] else { throw .missing(name: name) }
      try Self.check(norm, named: name, in: description)
      return norm
    }

    embedding = try weights(Self.embeddingName)
    head = description.tiesEmbeddings ? nil : try weights(Self.headName)
    var blocks: [DecoderBlock] = []
    for index in 0..<description.blockCount {
      let block = try DecoderBlock(
        norm: { part throws(InferenceError) in
          try norm(DecoderBlock.name(part, block: index))
        },
        weights: { part throws(InferenceError) in
          try weights(DecoderBlock.name(part, block: index))
        })
      blocks.append(block)
    }
    self.blocks = blocks
    runningBlocks = Array(blocks.indices)
    finalNorm = try norm(Self.finalNormName)
    rotary = RotaryEmbedding(
      headSize: description.headSize, theta: description.ropeTheta,
      scaling: description.ropeScaling)
    attention = Attention(
      headCount: description.headCount, keyValueHeadCount: description.keyValueHeadCount,
      headSize: description.headSize)
  }

  /// An empty cache for a sequence of this model, or of one that differs in weights only.
  public func makeCache() -> KeyValueCache {
    KeyValueCache(
      blockCount: blocks.count, width: description.keyValueHeadCount * description.headSize)
  }

  /// An empty cache for a sequence that runs through a single block.
  func makeBlockCache() -> BlockCache {
    BlockCache(width: description.keyValueHeadCount * description.headSize)
  }

  /// The model without some of its blocks, whose hidden states the next block reads as if they were not there.
  ///
  /// Blocks and layers keep their indices and names, caches their shape.
  public func leavingOut(blocks indices: Set<Int>) -> Decoder {
    var shorter = self
    shorter.runningBlocks.removeAll { indices.contains($0) }
    return shorter
  }
}
