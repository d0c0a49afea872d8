import CKernels

extension Attention {
  /// The gradient at queries, keys and values of a whole sequence, given that at the output of
  /// ``attend(queries:keys:values:on:)``.
  ///
  /// - Parameters:
  ///   - queries: All positions of the sequence; each row starts with `headCount * headSize` values.
  ///   - keys: Positions x (keyValueHeadCount * headSize).
  ///   - values: Positions x (keyValueHeadCount * valueSize).
  ///   - output: Positions x (headCount * valueSize).
  ///   - pool: The threads that share the heads.
  /// - Returns: For each position, the gradients at its queries, keys and values side by side.
  /// - Precondition: the counts agree.
  public func gradient(
    queries: Matrix, keys: [Float], values: [Float], output: Matrix, on pool: WorkerPool
  ) -> Matrix {
    let (positions, width) = (queries.rows, headCount * (headSize + valueSize))
    precondition(keys.count == positions * keyValueHeadCount * headSize)
    precondition(values.count == positions * keyValueHeadCount * valueSize)
    precondition(queries.columns >= headCount * headSize)
    precondition(output.rows == positions && output.columns == headCount * valueSize)
    var result = Matrix(
      rows: positions,
      columns: headCount * headSize + keyValueHeadCount * (headSize + valueSize))
    // Each head's gradients at the keys and values that it shares with others, to be summed.
    var parts = [Float](repeating: 0, count: positions * width)
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
                  result: result, keyParts: parts,
                  valueParts: parts + positions * headCount * headSize)
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
  /// Heads x positions x value size.
  let valueParts: UnsafeMutablePointer<Float>

  /// Queries whose scores are held at once.
  private static let queriesATile = 64

  private var keySize: Int { attention.headSize }
  private var valueSize: Int { attention.valueSize }
  private var keyStride: Int { attention.keyValueHeadCount * keySize }
  private var valueStride: Int { attention.keyValueHeadCount * valueSize }
  private var queryWidth: Int { attention.headCount * keySize }
  private var outputWidth: Int { attention.headCount * valueSize }
  private var group: Int { attention.headCount / attention.keyValueHeadCount }
  private var resultStride: Int { queryWidth + keyStride + valueStride }

  /// Computes the scores of a head again, tile by tile, and differentiates them.
  func differentiate(head: Int) {
    let tileSize = Self.queriesATile * positions
    withUnsafeTemporaryAllocation(of: Float.self, capacity: 2 * tileSize + positions) { memory in
      guard let scores = memory.baseAddress else { return }
      for first in stride(from: 0, to: positions, by: Self.queriesATile) {
        let tile = first..<min(first + Self.queriesATile, positions)
        differentiate(head, tile, scores, scores + tileSize, slopes: scores + 2 * tileSize)
      }
    }
  }

  private func differentiate(
    _ head: Int, _ tile: Range<Int>, _ scores: UnsafeMutablePointer<Float>,
    _ gradients: UnsafeMutablePointer<Float>, slopes: UnsafeMutablePointer<Float>
  ) {
    // All positions that one of the tile's queries sees.
    let first = attention.seen(from: tile.lowerBound).lowerBound
    let length = tile.upperBound - first
    let query = queries + tile.lowerBound * queryStride + head * keySize
    let key = keys + first * keyStride + head / group * keySize
    let value = values + first * valueStride + head / group * valueSize
    let outer = output + tile.lowerBound * outputWidth + head * valueSize
    // Tile x length: scores q . k, and gradients at the probabilities, o . v.
    multiply(query, queryStride, key, keyStride, keySize, into: scores, tile.count, length)
    multiply(
      outer, outputWidth, value, valueStride, valueSize, into: gradients, tile.count, length)
    for row in 0..<tile.count {
      let seen = attention.seen(from: tile.lowerBound + row)
      let (unseen, start) = (seen.lowerBound - first, row * length)
      vk_softmax_gradient(
        Kernels.level, scores + start + unseen, gradients + start + unseen, seen.count,
        attention.scale, attention.softcap ?? 0, attention.sink(ofHead: head), slopes)
      for row in [scores + start, gradients + start] {
        row.update(repeating: 0, count: unseen)
        (row + unseen + seen.count).update(repeating: 0, count: length - unseen - seen.count)
      }
    }
    MatrixProduct.multiply(
      vk_factor(gradients, rows: tile.count, columns: length, stride: length),
      vk_factor(key, rows: length, columns: keySize, stride: keyStride).transposed,
      into: result + tile.lowerBound * resultStride + head * keySize, stride: resultStride)
    let place = head * positions + first
    addTransposed(
      gradients, tile.count, length, query, queryStride, keySize, to: keyParts + place * keySize)
    addTransposed(
      scores, tile.count, length, outer, outputWidth, valueSize, to: valueParts + place * valueSize)
  }

  /// y = a b^T of `rows` x `size` and `columns` x `size` values.
  private func multiply(
    _ a: UnsafePointer<Float>, _ aStride: Int, _ b: UnsafePointer<Float>, _ bStride: Int,
    _ size: Int, into y: UnsafeMutablePointer<Float>, _ rows: Int, _ columns: Int
  ) {
    MatrixProduct.multiply(
      vk_factor(a, rows: rows, columns: size, stride: aStride),
      vk_factor(b, rows: columns, columns: size, stride: bStride), into: y, stride: columns)
  }

  /// y += a^T b of `rows` x `columns` and `rows` x `size` values.
  private func addTransposed(
    _ a: UnsafePointer<Float>, _ rows: Int, _ columns: Int, _ b: UnsafePointer<Float>,
    _ bStride: Int, _ size: Int, to y: UnsafeMutablePointer<Float>
  ) {
    MatrixProduct.multiply(
      vk_factor(a, rows: rows, columns: columns, stride: columns).transposed,
      vk_factor(b, rows: rows, columns: size, stride: bStride).transposed, adds: true, into: y,
      stride: size)
  }

  /// Adds up what the heads of each group found at the keys and values of one position.
  func sumParts(position: Int) {
    let row = result + position * resultStride + queryWidth
    for head in 0..<attention.headCount {
      let (place, shared) = (head * positions + position, head / group)
      vk_add(Kernels.level, keyParts + place * keySize, keySize, row + shared * keySize)
      vk_add(
        Kernels.level, valueParts + place * valueSize, valueSize,
        row + keyStride + shared * valueSize)
    }
  }
}
