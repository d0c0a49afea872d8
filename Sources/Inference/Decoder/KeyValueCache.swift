import Tensors

/// The keys and values of the positions that a decoder has read: the state of one sequence.
public struct KeyValueCache: Sendable {
  /// One for each block of the model.
  var blocks: [BlockCache]
  /// Positions that are complete in all blocks.
  public private(set) var count = 0
  /// Tokens that the sequence is known to have before it is read whole: RoPE may turn long ones otherwise.
  public var expectedCount = 0

  /// An empty cache for a model whose blocks have keys of these widths.
  init(widths: [Int]) {
    blocks = widths.map { BlockCache(width: $0) }
  }

  /// Bytes that the cached positions take.
  public var byteCount: Int { blocks.reduce(0) { $0 + $1.byteCount } }

  /// Forgets all positions from `length` on.
  public mutating func truncate(to length: Int) {
    guard length < count else { return }
    count = max(length, 0)
    for block in blocks.indices { blocks[block].truncate(to: count) }
  }

  /// Counts positions that were appended to all blocks.
  mutating func advance(by positions: Int) { count += positions }
}

/// The keys and values of one block.
struct BlockCache: Sendable {
  /// Values of one position: key and value heads times head size.
  let width: Int
  /// Positions x width.
  private(set) var keys: [Float] = []
  private(set) var values: [Float] = []

  init(width: Int) { self.width = width }

  var byteCount: Int { (keys.count + values.count) * MemoryLayout<Float>.size }

  /// Appends the keys and values of new positions.
  ///
  /// Each row of `projected` is a position: its keys start at `keyColumn`, and its values follow.
  mutating func append(_ projected: Matrix, keyColumn: Int) {
    for row in 0..<projected.rows {
      let start = row * projected.columns + keyColumn
      keys.append(contentsOf: projected.values[start..<start + width])
      values.append(contentsOf: projected.values[start + width..<start + 2 * width])
    }
  }

  /// Forgets all positions from `length` on, of which there may be none: a block that is left out reads nothing.
  mutating func truncate(to length: Int) {
    let kept = min(length * width, keys.count)
    keys.removeLast(keys.count - kept)
    values.removeLast(values.count - kept)
  }
}
