import Checkpoints
import Tensors

/// A model that runs: a slot of weights for each layer.
///
/// A decoder is a value. A copy shares the weights of all layers until their slots are set, so that the reference
/// and a compressed model take the memory of one model and of the compressed layers.
public struct Decoder: Sendable {
  /// Equal only to itself.
  final class Revision: Sendable {}

  public let description: ModelDescription
  let blueprint: Blueprint
  /// The blocks that run, by index and in order: all, unless some are left out.
  public private(set) var runningBlocks: [Int]
  let pool: WorkerPool
  /// How exactly products with layers that hold integer codes are computed.
  public var arithmetic = Arithmetic.exact
  /// Small inputs that count as zero; nil is none.
  public var inputPruning: InputPruning?
  /// Stands for the weights that decide what blocks compute; another one once any of them is set.
  private(set) var revision = Revision()
  var embedding: LayerWeights
  /// nil when the head is the embedding.
  var head: LayerWeights?
  var blocks: [DecoderBlock]
  var finalNorm: Norm
  /// What blocks' own embeddings are made of; nil for none.
  var perLayer: PerLayerTable?
  let rotary: RotaryEmbedding
  /// Of each block.
  let work: [BlockWork]
  /// All tensors by name.
  let tensors: [String: ModelTensor]

  /// A decoder of the given weights.
  ///
  /// Layers in GGUF's quantized blocks are laid out anew, code for code.
  /// - Parameters:
  ///   - description: The model.
  ///   - layers: Layers and routers by their names.
  ///   - vectors: Norms and biases by their names, as they multiply and add.
  ///   - pool: The threads that share the work.
  /// - Throws: ``InferenceError`` when the model does not run, or weights are missing or misshapen.
  public init(
    description: ModelDescription, layers: [String: LayerWeights], norms vectors: [String: [Float]],
    pool: WorkerPool
  ) throws(InferenceError) {
    let blueprint = try Self.runnable(description)
    self.description = description
    self.blueprint = blueprint
    self.pool = pool
    let all = description.tensors
    tensors = Dictionary(all.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })

    func weights(_ tensor: ModelTensor) throws(InferenceError) -> LayerWeights {
      guard let stored = layers[tensor.name] else { throw .missing(name: tensor.name) }
      try Self.check(stored, fits: tensor)
      let isOnlyLookedUp = tensor.isOnlyLookedUp(in: blueprint)
      return isOnlyLookedUp ? stored : Self.runnable(stored, on: pool)
    }
    func vector(_ tensor: ModelTensor) throws(InferenceError) -> [Float] {
      guard let values = vectors[tensor.name] else { throw .missing(name: tensor.name) }
      try Self.check(values, fits: tensor)
      return values
    }

    var places = TensorPlaces(all)
    embedding = try weights(places.tensor(.embedding))
    head = blueprint.tiesEmbeddings ? nil : try weights(places.tensor(.head))
    finalNorm = Norm(
      weights: try vector(places.tensor(.finalNorm)),
      bias: blueprint.norm == .layer ? try vector(places.tensor(.finalNorm, .bias)) : nil)
    perLayer = try blueprint.perLayer.map { facts throws(InferenceError) in
      PerLayerTable(
        facts: facts, embedding: try weights(places.tensor(.perLayerEmbedding)),
        projection: try weights(places.tensor(.perLayerModelProjection)),
        norm: try vector(places.tensor(.perLayerModelNorm)))
    }
    var blocks: [DecoderBlock] = []
    for (index, facts) in blueprint.blocks.enumerated() {
      places.block = index
      let inBlock = places
      let builder = BlockBuilder(
        facts: facts, perLayer: blueprint.perLayer,
        weights: { part throws(InferenceError) in try weights(inBlock.tensor(part)) },
        vector: { part, kind throws(InferenceError) in try vector(inBlock.tensor(part, kind)) },
        norms: inBlock.norms)
      blocks.append(try builder.block())
    }
    self.blocks = blocks
    runningBlocks = Array(blocks.indices)
    rotary = RotaryEmbedding(blueprint.ropes)
    work = BlockWork.all(of: description, blueprint)
  }

  /// Says that blocks compute something else from now on.
  mutating func renew() { revision = Revision() }

  /// An empty cache for a sequence of this model, or of one that differs in weights only.
  public func makeCache(as type: CacheType = .f32) -> KeyValueCache {
    KeyValueCache(blueprint.blocks, as: type)
  }

  /// An empty cache for a sequence that runs through a single block.
  func makeBlockCache(_ block: Int, as type: CacheType = .f32) -> BlockCache {
    BlockCache(blueprint.blocks[block].mixer, as: type)
  }

  /// The model without some of its blocks, whose hidden states the next block reads as if they were not there.
  ///
  /// Blocks and layers keep their indices and names, caches their shape.
  /// - Precondition: none of those that run reads the keys and values of one that does not.
  public func leavingOut(blocks indices: Set<Int>) -> Decoder {
    var shorter = self
    shorter.renew()
    shorter.runningBlocks.removeAll { indices.contains($0) }
    precondition(
      shorter.runningBlocks.allSatisfy { !indices.contains(cacheBlock(of: $0)) },
      "blocks read keys and values of others that run")
    return shorter
  }
}

extension Decoder {
  /// The model whose routers send no token to some experts of each block, as if these were not there.
  ///
  /// - Precondition: each mixture keeps as many as a token runs through.
  public func leavingOut(experts: [Int: [Int]]) -> Decoder {
    var smaller = self
    smaller.renew()
    for (block, removed) in experts {
      guard case .experts(var layers) = smaller.blocks[block].feedForward else { continue }
      layers.removed = Set(removed)
      precondition(
        layers.facts.count - layers.removed.count >= layers.facts.chosenCount,
        "as many as a token runs through")
      smaller.blocks[block].feedForward = .experts(layers)
    }
    return smaller
  }

  /// The block whose keys and values a block reads: its own, or another one's.
  func cacheBlock(of block: Int) -> Int {
    blueprint.blocks[block].attention?.cacheBlock ?? block
  }

  /// Whether other blocks read a block's keys and values.
  func isCacheShared(ofBlock block: Int) -> Bool { blueprint.sharedBlocks.contains(block) }
}

extension ModelTensor {
  /// Whether it is a table in which tokens are looked up, and nothing more.
  func isOnlyLookedUp(in blueprint: Blueprint) -> Bool {
    part == .perLayerEmbedding || (part == .embedding && !blueprint.tiesEmbeddings)
  }
}

/// Finds a model's tensors by what they are.
private struct TensorPlaces {
  private struct Place: Hashable {
    let part: Part
    let block: Int?
    let kind: ModelTensor.Kind
  }

  private let tensors: [Place: ModelTensor]
  private let normParts: [[(part: Part, hasBias: Bool)]]
  /// The block that is looked in; nil for outside.
  var block: Int?

  init(_ all: [ModelTensor]) {
    tensors = Dictionary(
      all.map { (Place(part: $0.part, block: $0.block, kind: $0.kind), $0) },
      uniquingKeysWith: { first, _ in first })
    let count = (all.compactMap(\.block).max() ?? -1) + 1
    var parts: [[(part: Part, hasBias: Bool)]] = Array(repeating: [], count: count)
    for tensor in all {
      guard let block = tensor.block, tensor.isNorm, tensor.kind == .weight else { continue }
      let bias = Place(part: tensor.part, block: block, kind: .bias)
      parts[block].append((part: tensor.part, hasBias: tensors[bias] != nil))
    }
    normParts = parts
  }

  /// The norms of the block.
  var norms: [(part: Part, hasBias: Bool)] { block.map { normParts[$0] } ?? [] }

  func tensor(
    _ part: Part, _ kind: ModelTensor.Kind = .weight
  ) throws(InferenceError) -> ModelTensor {
    guard let tensor = tensors[Place(part: part, block: block, kind: kind)] else {
      throw .missing(name: part.rawValue)
    }
    return tensor
  }
}
