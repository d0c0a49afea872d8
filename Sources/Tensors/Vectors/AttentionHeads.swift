import CKernels

/// One call's pointers; its work is cut by heads and queries.
///
/// Few queries attend each by itself. Many, as of a prompt, attend in tiles of queries over tiles of keys, which are
/// products of matrices; a running softmax joins the tiles of keys (Dao et al., FlashAttention, 2022).
struct AttentionHeads: @unchecked Sendable {
  // Unchecked: items read shared memory and write disjoint parts of the output.
  let attention: Attention
  let queries: UnsafePointer<Float>
  let queryStride: Int
  let keys: UnsafePointer<Float>
  let values: UnsafePointer<Float>
  let output: UnsafeMutablePointer<Float>
  let rows: Int
  /// Cached positions, the queries' own at their end.
  let positions: Int

  /// Scores times values below which one thread is quicker than handing work over.
  private static let leastForThreads = 40_000
  /// Queries from which on tiles are quicker.
  static let leastForTiles = 12
  private static let queriesATile = 64
  private static let keysATile = 256

  private var headCount: Int { attention.headCount }
  private var outputStride: Int { headCount * attention.valueSize }

  func run(on pool: WorkerPool) {
    guard rows < Self.leastForTiles else {
      let tiles = (rows + Self.queriesATile - 1) / Self.queriesATile
      // The last queries see the most keys, so they go first, and small items end the region.
      return pool.run(count: tiles * headCount, grain: 1) { part in
        for item in part {
          attend(tile: tiles - 1 - item / headCount, head: item % headCount)
        }
      }
    }
    let items = rows * headCount
    let seen = min(positions, attention.window ?? positions)
    let isSmall = items * seen * attention.headSize < Self.leastForThreads
    let kernel = attention.kernelShape
    pool.run(count: items, grain: isSmall ? items : 1) { part in
      for item in part { attend(row: item / headCount, head: item % headCount, kernel) }
    }
  }

  /// The positions that a row's query sees.
  private func seen(from row: Int) -> Range<Int> {
    attention.seen(from: positions - rows + row)
  }

  private func key(_ position: Int, ofHead head: Int) -> UnsafePointer<Float> {
    let shared = head / (headCount / attention.keyValueHeadCount)
    return keys + (position * attention.keyValueHeadCount + shared) * attention.headSize
  }

  private func value(_ position: Int, ofHead head: Int) -> UnsafePointer<Float> {
    let shared = head / (headCount / attention.keyValueHeadCount)
    return values + (position * attention.keyValueHeadCount + shared) * attention.valueSize
  }

  private func query(_ row: Int, ofHead head: Int) -> UnsafePointer<Float> {
    queries + row * queryStride + head * attention.headSize
  }

  private func attend(row: Int, head: Int, _ kernel: vk_attention) {
    let seen = seen(from: row)
    var kernel = kernel
    vk_attend(
      Kernels.level, &kernel, query(row, ofHead: head), key(seen.lowerBound, ofHead: head),
      value(seen.lowerBound, ofHead: head), seen.count, attention.sink(ofHead: head),
      output + row * outputStride + head * attention.valueSize)
  }

  /// Lets a tile of queries attend with one head.
  private func attend(tile: Int, head: Int) {
    let first = tile * Self.queriesATile
    let count = min(Self.queriesATile, rows - first)
    let (level, valueSize) = (Kernels.level, attention.valueSize)
    let result = output + first * outputStride + head * valueSize
    for row in 0..<count {
      (result + row * outputStride).update(repeating: 0, count: valueSize)
    }
    ThreadScratch.withFloats(count * (Self.keysATile + 2)) { memory in
      let room = Tile(most: memory, totals: memory + count, scores: memory + 2 * count)
      room.most.update(repeating: attention.sink(ofHead: head), count: count)
      room.totals.update(repeating: 1, count: count)
      let end = seen(from: first + count - 1).upperBound
      for start in stride(from: seen(from: first).lowerBound, to: end, by: Self.keysATile) {
        let keys = start..<min(start + Self.keysATile, end)
        attend(queries: first..<first + count, over: keys, head, in: room, into: result)
      }
      for row in 0..<count {
        vk_scale(level, 1 / room.totals[row], valueSize, result + row * outputStride)
      }
    }
  }

  /// Memory for one tile of queries and one of keys.
  private struct Tile {
    /// Of each query: its largest score so far, and the sum of its weights.
    let most: UnsafeMutablePointer<Float>
    let totals: UnsafeMutablePointer<Float>
    /// Queries x keys; then their weights.
    let scores: UnsafeMutablePointer<Float>
  }

  /// Adds to `result` what a tile of keys contributes.
  private func attend(
    queries: Range<Int>, over keys: Range<Int>, _ head: Int, in room: Tile,
    into result: UnsafeMutablePointer<Float>
  ) {
    let (level, kernel, valueSize) = (Kernels.level, attention.kernelShape, attention.valueSize)
    MatrixProduct.multiply(
      vk_factor(
        query(queries.lowerBound, ofHead: head), rows: queries.count, columns: attention.headSize,
        stride: queryStride),
      vk_factor(
        key(keys.lowerBound, ofHead: head), rows: keys.count, columns: attention.headSize,
        stride: kernel.key_stride),
      into: room.scores, stride: keys.count)
    vk_scale(level, attention.scale, queries.count * keys.count, room.scores)
    for (place, row) in queries.enumerated() {
      let line = room.scores + place * keys.count
      let seen = seen(from: row).clamped(to: keys)
      let (unseen, count) = (seen.lowerBound - keys.lowerBound, seen.count)
      line.update(repeating: 0, count: unseen)
      (line + unseen + count).update(repeating: 0, count: keys.count - unseen - count)
      guard count > 0 else { continue }
      let kept = vk_softmax_step(
        level, line + unseen, count, kernel.softcap, room.most + place, room.totals + place)
      if kept != 1 { vk_scale(level, kept, valueSize, result + place * outputStride) }
    }
    MatrixProduct.multiply(
      vk_factor(room.scores, rows: queries.count, columns: keys.count, stride: keys.count),
      vk_factor(
        value(keys.lowerBound, ofHead: head), rows: keys.count, columns: valueSize,
        stride: kernel.value_stride
      ).transposed,
      adds: true, into: result, stride: outputStride)
  }
}
