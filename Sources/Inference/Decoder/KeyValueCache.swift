import Checkpoints
import Tensors

/// What a decoder keeps of the positions that it has read: the state of one sequence.
public struct KeyValueCache: Sendable {
  /// One for each block of the model.
  var blocks: [BlockCache]
  /// Positions that are complete in all blocks.
  public private(set) var count = 0
  /// Tokens that the sequence is known to have before it is read whole: RoPE may turn long ones otherwise.
  public var expectedCount = 0

  /// What keys and values are held as.
  public let type: CacheType

  /// An empty cache for a model of such blocks.
  init(_ blocks: [BlockFacts], as type: CacheType) {
    self.type = type
    self.blocks = blocks.map { BlockCache($0.mixer, as: type, keepsSnapshots: true) }
  }

  /// Bytes that the cached positions take.
  public var byteCount: Int { blocks.reduce(0) { $0 + $1.byteCount } }

  /// Forgets all positions from `length` on, and those that only some blocks have read.
  ///
  /// Recurrences go back to states that they have kept only, so that fewer positions may be left; ``count`` says how many.
  public mutating func truncate(to length: Int) {
    count = min(max(length, 0), count)
    var reached = -1
    while reached != count {
      reached = count
      for block in blocks { count = min(count, block.reach(count)) }
    }
    for block in blocks.indices { blocks[block].truncate(to: count) }
  }

  /// Counts positions that were appended to all blocks.
  mutating func advance(by positions: Int) { count += positions }
}

/// What one block keeps of the positions that it has read: keys and values, or the state of a recurrence.
struct BlockCache: Sendable {
  /// nil for a recurrence, like the values.
  private(set) var keys: CachedVectors?
  private(set) var values: CachedVectors?
  /// nil for attention.
  private var state: RecurrentState?

  init(_ mixer: MixerFacts, as type: CacheType, keepsSnapshots: Bool = false) {
    switch mixer {
    case .attention(let attention):
      keys = CachedVectors(
        type: type, heads: attention.keyValueHeadCount, headSize: attention.headSize)
      values = CachedVectors(
        type: type, heads: attention.keyValueHeadCount, headSize: attention.valueSize)
    case .delta, .convolution, .mamba:
      state = mixer.state.map {
        RecurrentState(values: $0.values, window: $0.window, keepsSnapshots: keepsSnapshots)
      }
    }
  }

  /// Whether it is of such a block.
  func fits(_ mixer: MixerFacts) -> Bool {
    switch mixer {
    case .attention(let attention): keys?.width == attention.keyWidth
    case .delta, .convolution, .mamba:
      state?.values.count == mixer.state?.values && state?.window.count == mixer.state?.window
    }
  }

  var byteCount: Int {
    (keys?.byteCount ?? 0) + (values?.byteCount ?? 0) + (state?.byteCount ?? 0)
  }

  /// What it held when it had no more than some positions.
  func prefix(_ length: Int) -> BlockCache {
    var cache = self
    cache.truncate(to: length)
    return cache
  }

  /// Appends the keys and values of new positions.
  ///
  /// Each row of `projected` is a position: its keys start at `keyColumn`, and its values follow.
  mutating func append(_ projected: Matrix, keyColumn: Int) {
    let width = keys?.width ?? 0
    keys?.append(projected, column: keyColumn)
    values?.append(projected, column: keyColumn + width)
  }

  /// Lets a recurrence or a convolution read new positions.
  ///
  /// Of several it keeps the state before the last, so that who reads the same text again need not begin anew.
  /// - Precondition: the cache is of the mixer's block.
  mutating func run<Mixer: RecurrentMixer>(
    _ mixer: Mixer, _ inputs: Matrix, on pool: WorkerPool
  ) -> Mixer.Steps {
    guard var own = state.take() else { preconditionFailure("the cache is of another block") }
    defer { state = own }
    let last = inputs.rows - 1
    guard own.keepsSnapshots, last > 0 else { return mixer.run(inputs, after: &own, on: pool) }
    let before = mixer.run(inputs.rows(0..<last), after: &own, on: pool)
    own.keep()
    return before.followed(by: mixer.run(inputs.rows(last..<last + 1), after: &own, on: pool))
  }

  /// The most positions up to `length` that it can go back to.
  func reach(_ length: Int) -> Int { state?.reach(length) ?? length }

  /// Forgets all positions from `length` on, of which there may be none: a block that is left out reads nothing.
  mutating func truncate(to length: Int) {
    keys?.truncate(to: length)
    values?.truncate(to: length)
    state?.truncate(to: length)
  }
}
