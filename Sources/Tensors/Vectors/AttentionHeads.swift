import CKernels
import COpenBLAS

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
    let result = output + first * outputStride + head * attention.valueSize
    for row in 0..<count {
      (result + row * outputStride).update(repeating: 0, count: attention.valueSize)
    }
    let size = Self.queriesATile * Self.keysATile
    withUnsafeTemporaryAllocation(of: Float.self, capacity: size + 2 * count) { memory in
      guard let scores = memory.baseAddress else { return }
      let (most, totals) = (scores + size, scores + size + count)
      most.update(repeating: attention.sink(ofHead: head), count: count)
      totals.update(repeating: 1, count: count)
      let end = seen(from: first + count - 1).upperBound
      for start in stride(from: seen(from: first).lowerBound, to: end, by: Self.keysATile) {
        let keys = start..<min(start + Self.keysATile, end)
        attend(
          queries: first..<first + count, over: keys, head, scores, most, totals, into: result)
      }
      for row in 0..<count {
        vk_scale(
          Kernels.level, 1 / totals[row], attention.valueSize, result + row * outputStride)
      }
    }
  }

  /// Adds to `result` what a tile of keys contributes.
  private func attend(
    queries: Range<Int>, over keys: Range<Int>, _ head: Int, _ scores: UnsafeMutablePointer<Float>,
    _ most: UnsafeMutablePointer<Float>, _ totals: UnsafeMutablePointer<Float>,
    into result: UnsafeMutablePointer<Float>
  ) {
    let kernel = attention.kernelShape
    let (rows, columns) = (Int32(queries.count), Int32(keys.count))
    cblas_sgemm(
      CblasRowMajor, CblasNoTrans, CblasTrans, rows, columns, Int32(attention.headSize),
      attention.scale, query(queries.lowerBound, ofHead: head), Int32(queryStride),
      key(keys.lowerBound, ofHead: head), Int32(kernel.key_stride), 0, scores, columns)
    for (place, row) in queries.enumerated() {
      let line = scores + place * keys.count
      let seen = seen(from: row).clamped(to: keys)
      let (unseen, count) = (seen.lowerBound - keys.lowerBound, seen.count)
      line.update(repeating: 0, count: unseen)
      (line + unseen + count).update(repeating: 0, count: keys.count - unseen - count)
      guard count > 0 else { continue }
      let kept = vk_softmax_step(
        Kernels.level, line + unseen, count, kernel.softcap, most + place, totals + place)
      if kept != 1 {
        vk_scale(Kernels.level, kept, attention.valueSize, result + place * outputStride)
      }
    }
    cblas_sgemm(
      CblasRowMajor, CblasNoTrans, CblasNoTrans, rows, Int32(attention.valueSize), columns, 1,
      scores, columns, value(keys.lowerBound, ofHead: head), Int32(kernel.value_stride), 1, result,
      Int32(outputStride))
  }
}
