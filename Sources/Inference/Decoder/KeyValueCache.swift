import Checkpoints
import Tensors

/// The keys and values of the positions that a decoder has read: the state of one sequence.
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
    self.blocks = blocks.map { BlockCache($0.attention, as: type) }
  }

  /// Bytes that the cached positions take.
  public var byteCount: Int { blocks.reduce(0) { $0 + $1.byteCount } }

  /// Forgets all positions from `length` on, and those that only some blocks have read.
  public mutating func truncate(to length: Int) {
    count = min(max(length, 0), count)
    for block in blocks.indices { blocks[block].truncate(to: count) }
  }

  /// Counts positions that were appended to all blocks.
  mutating func advance(by positions: Int) { count += positions }
}

/// The keys and values of one block.
struct BlockCache: Sendable {
  private(set) var keys: CachedVectors
  private(set) var values: CachedVectors

  init(_ attention: AttentionFacts, as type: CacheType) {
    keys = CachedVectors(
      type: type, heads: attention.keyValueHeadCount, headSize: attention.headSize)
    values = CachedVectors(
      type: type, heads: attention.keyValueHeadCount, headSize: attention.valueSize)
  }

  /// Values of one position's keys.
  var width: Int { keys.width }

  var byteCount: Int { keys.byteCount + values.byteCount }

  /// Appends the keys and values of new positions.
  ///
  /// Each row of `projected` is a position: its keys start at `keyColumn`, and its values follow.
  mutating func append(_ projected: Matrix, keyColumn: Int) {
    keys.append(projected, column: keyColumn)
    values.append(projected, column: keyColumn + width)
  }

  /// Forgets all positions from `length` on, of which there may be none: a block that is left out reads nothing.
  mutating func truncate(to length: Int) {
    keys.truncate(to: length)
    values.truncate(to: length)
  }
}
