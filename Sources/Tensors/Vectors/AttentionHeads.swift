import CKernels

/// One call's pointers; its work is cut by heads and queries.
///
/// Few queries attend each by itself. Many, as of a prompt, attend in tiles of queries over tiles of keys, which are
/// products of matrices; a running softmax joins the tiles of keys (Dao et al., FlashAttention, 2022).
struct AttentionHeads: @unchecked Sendable {
  // Unchecked: items read shared memory and write disjoint parts of the output.
  let attention: Attention
  /// What keys and values are held as.
  let type: CacheType
  let queries: UnsafePointer<Float>
  let queryStride: Int
  let keys: UnsafePointer<UInt8>
  let values: UnsafePointer<UInt8>
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
    let kernel = vk_attention(
      head_size: attention.headSize, value_size: attention.valueSize, key_stride: keyStride,
      value_stride: valueStride, type: type.kernelType, scale: attention.scale,
      softcap: attention.softcap ?? 0)
    pool.run(count: items, grain: isSmall ? items : 1) { part in
      for item in part { attend(row: item / headCount, head: item % headCount, kernel) }
    }
  }

  /// The positions that a row's query sees.
  private func seen(from row: Int) -> Range<Int> {
    attention.seen(from: positions - rows + row)
  }

  /// Bytes from one position's keys, or values, to the next one's.
  private var keyStride: Int { attention.keyValueHeadCount * type.bytes(ofHead: attention.headSize) }
  private var valueStride: Int {
    attention.keyValueHeadCount * type.bytes(ofHead: attention.valueSize)
  }

  private func key(_ position: Int, ofHead head: Int) -> UnsafePointer<UInt8> {
    let shared = head / (headCount / attention.keyValueHeadCount)
    return keys + position * keyStride + shared * type.bytes(ofHead: attention.headSize)
  }

  private func value(_ position: Int, ofHead head: Int) -> UnsafePointer<UInt8> {
    let shared = head / (headCount / attention.keyValueHeadCount)
    return values + position * valueStride + shared * type.bytes(ofHead: attention.valueSize)
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
    let decoded = type == .f32 ? 0 : Self.keysATile * max(attention.headSize, valueSize)
    ThreadScratch.withFloats(count * (Self.keysATile + 2) + decoded) { memory in
      let room = Tile(
        most: memory, totals: memory + count, scores: memory + 2 * count,
        decoded: memory + count * (Self.keysATile + 2))
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
    /// The keys, then the values, where these are not held in single precision.
    let decoded: UnsafeMutablePointer<Float>
  }

  /// One head of some positions as a factor of a product, which is read in single precision.
  private func factor(
    _ cached: UnsafePointer<UInt8>, stride: Int, positions: Int, size: Int, in room: Tile
  ) -> vk_factor {
    guard type != .f32 else {
      let values = UnsafeRawPointer(cached).assumingMemoryBound(to: Float.self)
      return vk_factor(
        values, rows: positions, columns: size, stride: stride / MemoryLayout<Float>.size)
    }
    vk_cache_read(
      Kernels.level, type.kernelType, cached, stride, positions, size, room.decoded)
    return vk_factor(room.decoded, rows: positions, columns: size, stride: size)
  }

  /// Adds to `result` what a tile of keys contributes.
  private func attend(
    queries: Range<Int>, over keys: Range<Int>, _ head: Int, in room: Tile,
    into result: UnsafeMutablePointer<Float>
  ) {
    let (level, valueSize) = (Kernels.level, attention.valueSize)
    MatrixProduct.multiply(
      vk_factor(
        query(queries.lowerBound, ofHead: head), rows: queries.count, columns: attention.headSize,
        stride: queryStride),
      factor(
        key(keys.lowerBound, ofHead: head), stride: keyStride, positions: keys.count,
        size: attention.headSize, in: room),
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
        level, line + unseen, count, attention.softcap ?? 0, room.most + place, room.totals + place)
      if kept != 1 { vk_scale(level, kept, valueSize, result + place * outputStride) }
    }
    MatrixProduct.multiply(
      vk_factor(room.scores, rows: queries.count, columns: keys.count, stride: keys.count),
      factor(
        value(keys.lowerBound, ofHead: head), stride: valueStride, positions: keys.count,
        size: valueSize, in: room
      ).transposed,
      adds: true, into: result, stride: outputStride)
  }
}
