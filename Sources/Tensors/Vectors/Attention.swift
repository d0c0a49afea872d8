import CKernels

/// Causal attention with grouped queries over cached keys and values.
public struct Attention: Sendable {
  public let headCount: Int
  /// Divides `headCount`: that many consecutive query heads share a key and value head.
  public let keyValueHeadCount: Int
  public let headSize: Int

  /// Scores times values below which one thread is quicker than handing work over.
  private static let leastForThreads = 40_000

  /// - Precondition: the key and value heads divide the heads.
  public init(headCount: Int, keyValueHeadCount: Int, headSize: Int) {
    precondition(keyValueHeadCount > 0 && headCount % keyValueHeadCount == 0 && headSize > 0)
    self.headCount = headCount
    self.keyValueHeadCount = keyValueHeadCount
    self.headSize = headSize
  }

  /// Attends with each row's queries over its own position and all before.
  ///
  /// - Parameters:
  ///   - queries: Consecutive positions, the last of which is the last in the cache; each row starts with
  ///     `headCount * headSize` values.
  ///   - keys: Positions x (keyValueHeadCount * headSize); the queries' own are already there.
  ///   - values: The same of values.
  ///   - pool: The threads that share the heads.
  /// - Returns: For each query row, `headCount * headSize` values.
  /// - Precondition: the counts agree.
  public func attend(
    queries: Matrix, keys: [Float], values: [Float], on pool: WorkerPool
  ) -> Matrix {
    let stride = keyValueHeadCount * headSize
    let width = headCount * headSize
    let positions = keys.count / stride
    precondition(keys.count == positions * stride && values.count == keys.count)
    precondition(queries.columns >= width && queries.rows <= positions)
    let count = queries.rows * width
    let result = [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
      queries.values.withUnsafeBufferPointer { queryBuffer in
        keys.withUnsafeBufferPointer { keyBuffer in
          values.withUnsafeBufferPointer { valueBuffer in
            guard let query = queryBuffer.baseAddress, let key = keyBuffer.baseAddress,
              let value = valueBuffer.baseAddress, let output = buffer.baseAddress
            else { return }
            let heads = Heads(
              attention: self, queries: query, queryStride: queries.columns, keys: key,
              values: value, output: output, firstLength: positions - queries.rows + 1)
            heads.run(rows: queries.rows, positions: positions, on: pool)
          }
        }
      }
      initialized = count
    }
    return Matrix(rows: queries.rows, columns: width, values: result)
  }

  /// One call's pointers; an item of its work is one head of one query row.
  private struct Heads: @unchecked Sendable {
    // Unchecked: items read shared memory and write disjoint parts of the output.
    let attention: Attention
    let queries: UnsafePointer<Float>
    let queryStride: Int
    let keys: UnsafePointer<Float>
    let values: UnsafePointer<Float>
    let output: UnsafeMutablePointer<Float>
    /// Positions that the first query sees.
    let firstLength: Int

    func run(rows: Int, positions: Int, on pool: WorkerPool) {
      let items = rows * attention.headCount
      let isSmall = items * positions * attention.headSize < Attention.leastForThreads
      pool.run(count: items, grain: isSmall ? items : 1) { part in
        for item in part { attend(item) }
      }
    }

    private func attend(_ item: Int) {
      let (row, head) = item.quotientAndRemainder(dividingBy: attention.headCount)
      let size = attention.headSize
      let shared = head / (attention.headCount / attention.keyValueHeadCount) * size
      vk_attend(
        Kernels.level, queries + row * queryStride + head * size, keys + shared, values + shared,
        size, attention.keyValueHeadCount * size, firstLength + row,
        1 / Float(size).squareRoot(), output + item * size)
    }
  }
}
