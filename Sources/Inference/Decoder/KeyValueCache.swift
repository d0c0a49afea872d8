import Tensors

/// The keys and values of the positions that a decoder has read: the state of one sequence.
public struct KeyValueCache: Sendable {
  /// For each block, positions x width keys.
  private(set) var keys: [[Float]]
  private(set) var values: [[Float]]
  /// Values of one position in one block: key and value heads times head size.
  let width: Int
  /// Positions that are complete in all blocks.
  public private(set) var count = 0

  /// An empty cache for a model of the given shape.
  init(blockCount: Int, width: Int) {
    keys = Array(repeating: [], count: blockCount)
    values = keys
    self.width = width
  }

  /// Bytes that the cached positions take.
  public var byteCount: Int { count * width * keys.count * 2 * MemoryLayout<Float>.size }

  /// Forgets all positions from `length` on.
  public mutating func truncate(to length: Int) {
    guard length < count else { return }
    count = max(length, 0)
    for block in keys.indices {
      keys[block].removeLast(keys[block].count - count * width)
      values[block].removeLast(values[block].count - count * width)
    }
  }

  /// Appends the keys and values of new positions to one block.
  ///
  /// Each row of `projected` is a position: its keys start at `keyColumn`, and its values follow.
  mutating func append(_ projected: Matrix, keyColumn: Int, to block: Int) {
    for row in 0..<projected.rows {
      let start = row * projected.columns + keyColumn
      keys[block].append(contentsOf: projected.values[start..<start + width])
      values[block].append(contentsOf: projected.values[start + width..<start + 2 * width])
    }
  }

  /// Counts positions that were appended to all blocks.
  mutating func advance(by positions: Int) { count += positions }
}
