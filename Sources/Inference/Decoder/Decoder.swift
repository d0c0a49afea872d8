import Checkpoints
import Tensors

/// Which logits a forward pass computes.
public enum WantedLogits: Hashable, Sendable {
  /// None: the pass only fills the cache.
  case none
  /// Those after the last token.
  case last
  /// Those after every token.
  case all
}

/// A Llama model that runs: a slot of weights for each layer.
///
/// A decoder is a value. A copy shares the weights of all layers until their slots are set, so that the reference
/// and a compressed model take the memory of one model and of the compressed layers.
public struct Decoder: Sendable {
  public let description: ModelDescription
  private let pool: WorkerPool
  private var embedding: LayerWeights
  /// nil when the head is the embedding.
  private var head: LayerWeights?
  private var blocks: [DecoderBlock]
  private let finalNorm: [Float]
  private let rotary: RotaryEmbedding
  private let attention: Attention
  private let places: [String: LayerDescription]

  /// A decoder of the given weights, by Hugging Face name without `.weight`.
  ///
  /// Layers in GGUF's quantized blocks are repacked, code for code.
  /// - Throws: ``InferenceError`` when the architecture does not run, or weights are missing or misshapen.
  public init(
    description: ModelDescription, layers: [String: StoredMatrix], norms: [String: [Float]],
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
      try Self.check(.stored(stored), fits: place)
      return Self.runnable(.stored(stored), on: pool)
    }
    func norm(_ name: String) throws(InferenceError) -> [Float] {
      guard let norm = norms[name] else { throw .missing(name: name) }
      guard norm.count == description.hiddenSize else {
        throw .wrongShape(layer: name, expected: [description.hiddenSize], found: [norm.count])
      }
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

  /// Reads tokens that follow what the cache holds.
  ///
  /// The time it takes grows with the tokens: give long prompts in chunks.
  /// - Returns: A row of `vocabularySize` logits for each token that logits are wanted after.
  /// - Throws: ``InferenceError`` for ids outside the vocabulary and beyond the context; then the cache is unchanged.
  public func forward(
    tokens: [Int], cache: inout KeyValueCache, wants: WantedLogits
  ) throws(InferenceError) -> Matrix {
    try check(tokens, cache)
    let rotations = tokens.indices.map { rotary.rotation(at: cache.count + $0) }
    var hidden = embedding.decoded(rows: tokens)
    for (index, block) in blocks.enumerated() {
      attend(block, at: index, &hidden, rotations, &cache)
      feedForward(block, &hidden)
    }
    cache.advance(by: tokens.count)
    switch wants {
    case .none: return Matrix(rows: 0, columns: description.vocabularySize)
    case .last: return logits(after: hidden.lastRow())
    case .all: return logits(after: hidden)
    }
  }

  private func attend(
    _ block: DecoderBlock, at index: Int, _ hidden: inout Matrix, _ rotations: [Rotation],
    _ cache: inout KeyValueCache
  ) {
    let normalized = hidden.rmsNormalized(by: block.attentionNorm, epsilon: epsilon)
    var projected = pool.products(of: normalized, with: block.attentionInputs)
    let keyColumn = description.headCount * description.headSize
    for (row, rotation) in rotations.enumerated() {
      // Queries and keys lie side by side, so one call turns both.
      projected.rotate(
        row: row, column: 0, heads: description.headCount + description.keyValueHeadCount,
        by: rotation)
    }
    cache.append(projected, keyColumn: keyColumn, to: index)
    let attended = attention.attend(
      queries: projected, keys: cache.keys[index], values: cache.values[index], on: pool)
    hidden.add(pool.products(of: attended, with: block.attentionOutput))
  }

  private func feedForward(_ block: DecoderBlock, _ hidden: inout Matrix) {
    let normalized = hidden.rmsNormalized(by: block.mlpNorm, epsilon: epsilon)
    let inner = pool.products(of: normalized, with: block.mlpInputs).gatedSilu()
    hidden.add(pool.products(of: inner, with: block.mlpOutput))
  }

  private func logits(after hidden: Matrix) -> Matrix {
    let normalized = hidden.rmsNormalized(by: finalNorm, epsilon: epsilon)
    return pool.products(of: normalized, with: [head ?? embedding])
  }

  private var epsilon: Float { Float(description.normEpsilon) }
}

extension Decoder {
  static let embeddingName = "model.embed_tokens"
  static let headName = "lm_head"
  static let finalNormName = "model.norm"

  /// What the slot of a layer holds; nil for names that are no layer of this model.
  public func weights(of layer: String) -> LayerWeights? {
    guard let place = place(of: layer) else { return nil }
    switch place.role {
    case .embedTokens: return embedding
    case .head: return head
    default: return place.block.flatMap { blocks[$0][place.role] }
    }
  }

  /// Puts weights into the slot of a layer; the next token is computed with them.
  ///
  /// `lm_head` names the embedding when the model ties them: both lookup and head use the one slot.
  /// - Throws: ``InferenceError`` for names that are no layer, and for weights of another shape.
  public mutating func setLayer(
    _ name: String, _ weights: LayerWeights
  ) throws(InferenceError) {
    guard let place = place(of: name) else { throw .missing(name: name) }
    try Self.check(weights, fits: place)
    let weights = Self.runnable(weights, on: pool)
    switch place.role {
    case .embedTokens: embedding = weights
    case .head: head = weights
    default:
      guard let block = place.block else { throw .missing(name: name) }
      blocks[block].set(place.role, to: weights)
    }
  }

  /// The same weights in a form that kernels multiply with: GGUF's blocks are repacked, code for code.
  private static func runnable(_ weights: LayerWeights, on pool: WorkerPool) -> LayerWeights {
    guard case .stored(let matrix) = weights else { return weights }
    return PackedMatrix(losslessly: matrix, on: pool).map { .packed($0) } ?? weights
  }

  private func place(of layer: String) -> LayerDescription? {
    let isTiedHead = description.tiesEmbeddings && layer == Self.headName
    return places[isTiedHead ? Self.embeddingName : layer]
  }

  private static func check(
    _ weights: LayerWeights, fits layer: LayerDescription
  ) throws(InferenceError) {
    guard weights.rows == layer.rows && weights.columns == layer.columns else {
      throw .wrongShape(
        layer: layer.name, expected: [layer.rows, layer.columns],
        found: [weights.rows, weights.columns])
    }
  }
}
