import CKernels
import COpenBLAS

extension Attention {
  /// The gradient at queries, keys and values of a whole sequence, given that at the output of
  /// ``attend(queries:keys:values:on:)``.
  ///
  /// - Parameters:
  ///   - queries: All positions of the sequence; each row starts with `headCount * headSize` values.
  ///   - keys: Positions x (keyValueHeadCount * headSize).
  ///   - values: The same of values.
  ///   - output: Positions x (headCount * headSize).
  ///   - pool: The threads that share the heads.
  /// - Returns: For each position, the gradients at its queries, keys and values side by side.
  /// - Precondition: the counts agree.
  public func gradient(
    queries: Matrix, keys: [Float], values: [Float], output: Matrix, on pool: WorkerPool
  ) -> Matrix {
    let (positions, width) = (queries.rows, headCount * headSize)
    let shared = keyValueHeadCount * headSize
    precondition(keys.count == positions * shared && values.count == keys.count)
    precondition(queries.columns >= width && output.rows == positions && output.columns == width)
    var result = Matrix(rows: positions, columns: width + 2 * shared)
    // Each head's gradients at the keys and values that it shares with others, to be summed.
    var parts = [Float](repeating: 0, count: 2 * positions * width)
    result.values.withUnsafeMutableBufferPointer { result in
      parts.withUnsafeMutableBufferPointer { parts in
        queries.values.withUnsafeBufferPointer { query in
          keys.withUnsafeBufferPointer { key in
            values.withUnsafeBufferPointer { value in
              output.values.withUnsafeBufferPointer { output in
                guard let result = result.baseAddress, let parts = parts.baseAddress,
                  let query = query.baseAddress, let key = key.baseAddress,
                  let value = value.baseAddress, let output = output.baseAddress
                else { return }
                let heads = HeadGradients(
                  attention: self, positions: positions, queries: query,
                  queryStride: queries.columns, keys: key, values: value, output: output,
                  result: result, keyParts: parts, valueParts: parts + positions * width)
                pool.run(count: headCount) { $0.forEach(heads.differentiate) }
                pool.run(count: positions, grain: 64) { $0.forEach(heads.sumParts) }
              }
            }
          }
        }
      }
    }
    return result
  }
}

/// One call's pointers; an item of its work is one head.
private struct HeadGradients: @unchecked Sendable {
  // Unchecked: items read shared memory and write disjoint parts of the results.
  let attention: Attention
  let positions: Int
  let queries: UnsafePointer<Float>
  let queryStride: Int
  let keys: UnsafePointer<Float>
  let values: UnsafePointer<Float>
  let output: UnsafePointer<Float>
  let result: UnsafeMutablePointer<Float>
  /// Heads x positions x head size.
  let keyParts: UnsafeMutablePointer<Float>
  let valueParts: UnsafeMutablePointer<Float>

  /// Queries whose scores are held at once.
  private static let queriesATile = 64

  private var size: Int { attention.headSize }
  private var width: Int { attention.headCount * size }
  private var shared: Int { attention.keyValueHeadCount * size }
  private var group: Int { attention.headCount / attention.keyValueHeadCount }
  private var resultStride: Int { width + 2 * shared }

  /// Computes the scores of a head again, tile by tile, and differentiates them.
  func differentiate(head: Int) {
    let capacity = 2 * Self.queriesATile * positions
    withUnsafeTemporaryAllocation(of: Float.self, capacity: capacity) { memory in
      guard let scores = memory.baseAddress else { return }
      for first in stride(from: 0, to: positions, by: Self.queriesATile) {
        let tile = first..<min(first + Self.queriesATile, positions)
        differentiate(head, tile, scores, scores + Self.queriesATile * positions)
      }
    }
  }

  private func differentiate(
    _ head: Int, _ tile: Range<Int>, _ scores: UnsafeMutablePointer<Float>,
    _ gradients: UnsafeMutablePointer<Float>
  ) {
    let length = tile.upperBound
    let query = queries + tile.lowerBound * queryStride + head * size
    let key = keys + head / group * size
    let value = values + head / group * size
    let outer = output + tile.lowerBound * width + head * size
    // Tile x length: scores q . k, and gradients at the probabilities, o . v.
    multiply(query, queryStride, key, shared, into: scores, tile.count, length)
    multiply(outer, width, value, shared, into: gradients, tile.count, length)
    let scale = 1 / Float(size).squareRoot()
    for row in 0..<tile.count {
      let seen = tile.lowerBound + row + 1
      let start = row * length
      vk_softmax_gradient(Kernels.level, scores + start, gradients + start, seen, scale)
      (scores + start + seen).update(repeating: 0, count: length - seen)
      (gradients + start + seen).update(repeating: 0, count: length - seen)
    }
    cblas_sgemm(
      CblasRowMajor, CblasNoTrans, CblasNoTrans, Int32(tile.count), Int32(size), Int32(length), 1,
      gradients, Int32(length), key, Int32(shared), 0,
      result + tile.lowerBound * resultStride + head * size, Int32(resultStride))
    let part = head * positions * size
    addTransposed(gradients, tile.count, length, query, queryStride, to: keyParts + part)
    addTransposed(scores, tile.count, length, outer, width, to: valueParts + part)
  }

  /// y = a b^T of `rows` x `size` and `columns` x `size` values.
  private func multiply(
    _ a: UnsafePointer<Float>, _ aStride: Int, _ b: UnsafePointer<Float>, _ bStride: Int,
    into y: UnsafeMutablePointer<Float>, _ rows: Int, _ columns: Int
  ) {
    cblas_sgemm(
      CblasRowMajor, CblasNoTrans, CblasTrans, Int32(rows), Int32(columns), Int32(size), 1, a,
      Int32(aStride), b, Int32(bStride), 0, y, Int32(columns))
  }

  /// y += a^T b of `rows` x `columns` and `rows` x `size` values.
  private func addTransposed(
    _ a: UnsafePointer<Float>, _ rows: Int, _ columns: Int, _ b: UnsafePointer<Float>,
    _ bStride: Int, to y: UnsafeMutablePointer<Float>
  ) {
    cblas_sgemm(
      CblasRowMajor, CblasTrans, CblasNoTrans, Int32(columns), Int32(size), Int32(rows), 1, a,
      Int32(columns), b, Int32(bStride), 1, y, Int32(size))
  }

  /// Adds up what the heads of each group found at the keys and values of one position.
  func sumParts(position: Int) {
    for head in 0..<attention.headCount {
      let part = (head * positions + position) * size
      let key = result + position * resultStride + width + head / group * size
      vk_add(Kernels.level, keyParts + part, size, key)
      vk_add(Kernels.level, valueParts + part, size, key + shared)
    }
  }
}
