import Checkpoints

/// The bytes that serving a model takes.
public struct FitMemory: Hashable, Sendable {
  /// Blocks whose keys and values take alike.
  public struct CacheGroup: Hashable, Sendable {
    public let blocks: Int
    public let facts: BlockCacheFacts
    /// Of each sequence.
    public let positions: Int
    public let bytes: Int
  }

  public let weights: Int
  /// What one token is multiplied with: of experts, those that it is sent to.
  public let activeWeights: Int
  public let cacheGroups: [CacheGroup]
  /// States that do not grow with the sequence.
  public let states: Int
  /// Inner values of the tokens that are computed at once.
  public let working: Int
  /// How these are counted.
  public let workingText: String
  /// What the machine itself takes.
  public let reserved: Int
  /// Whether all of the cache is known.
  public let isCacheKnown: Bool

  public var cache: Int { cacheGroups.reduce(0) { $0 + $1.bytes } }
  /// All but the weights.
  public var besideWeights: Int { cache + states + working + reserved }
  public var total: Int { weights + besideWeights }

  init(
    of model: ServedModel, for request: FitRequest, in engine: ServingEngine, reserved: Int
  ) {
    weights = model.weightBytes
    activeWeights = model.activeBytes
    self.reserved = reserved
    isCacheKnown = model.facts != nil
    cacheGroups = Self.groups(of: model.facts?.blocks ?? [], for: request, in: engine)
    states = 4 * request.batch * (model.facts?.blocks ?? []).reduce(0) { $0 + $1.stateValues }
    (working, workingText) = Self.working(of: model, for: request, in: engine)
  }

  /// Bytes beyond which nothing is told apart, so that sums over all blocks fit an `Int`.
  private static let cacheLimit = 0x1p48

  private static func groups(
    of blocks: [BlockCacheFacts], for request: FitRequest, in engine: ServingEngine
  ) -> [CacheGroup] {
    var order: [BlockCacheFacts] = []
    var counts: [BlockCacheFacts: Int] = [:]
    for block in blocks where block.valuesAPosition > 0 {
      if counts[block] == nil { order.append(block) }
      counts[block, default: 0] += 1
    }
    return order.map { facts in
      let count = counts[facts] ?? 0
      let positions = engine.positions(window: facts.window, context: request.context)
      let bytes =
        Double(count * facts.valuesAPosition) * request.cache.bytes(in: engine)
        * Double(positions * request.batch)
      return CacheGroup(
        blocks: count, facts: facts, positions: positions,
        bytes: Int(min(bytes.rounded(.up), Self.cacheLimit)))
    }
  }

  private static func working(
    of model: ServedModel, for request: FitRequest, in engine: ServingEngine
  ) -> (Int, String) {
    let tokens = engine.stepTokens(context: request.context)
    guard let facts = model.facts else { return (0, "not known") }
    let (hidden, vocabulary) = (facts.hiddenSize, facts.vocabularySize)
    if engine == .llamaCpp {
      // Its graph has room for the logits of a whole step, whatever the context; measured on four models, to the page.
      let step = 512
      return (
        step * (vocabulary + 2 * hidden) * 4,
        "\(step) tokens x (\(vocabulary) logits + 2 x \(hidden) hidden) x 4 B"
      )
    }
    let inner = model.innerWidth
    let bytes = engine == .vise ? 4 : 2
    let logits = request.batch * vocabulary * 4
    return (
      tokens * (3 * hidden + 2 * inner) * bytes + logits,
      "about \(tokens) tokens x (3 x \(hidden) hidden + 2 x \(inner) inner) x \(bytes) B + logits"
    )
  }
}
