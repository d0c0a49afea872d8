import CKernels
import Foundation
import Tensors
import Testing

/// Gradients of the decoder's operations against differences of their definitions in double precision.
struct GradientTests {
  /// The gradient of `loss` at `x` by central differences.
  private static func differences(
    at x: [Float], _ loss: ([Double]) -> Double
  ) -> [Double] {
    let step = 1e-4
    return x.indices.map { place in
      var (above, below) = (x.map(Double.init), x.map(Double.init))
      above[place] += step
      below[place] -= step
      return (loss(above) - loss(below)) / (2 * step)
    }
  }

  private static func expectClose(_ found: [Float], _ expected: [Double], _ comment: String) {
    let scale = expected.map { abs($0) }.max() ?? 0
    #expect(scale > 0)
    for (a, b) in zip(found, expected) { #expect(abs(Double(a) - b) < 2e-5 * scale, "\(comment)") }
  }

  @Test(arguments: [2, 7, 33])
  func rmsNorm(size: Int) {
    var noise = Noise(seed: size)
    let (x, weight, outer) = (noise.values(size), noise.values(size), noise.values(size))
    let expected = Self.differences(at: x) { x in
      let mean = x.map { $0 * $0 }.reduce(0, +) / Double(size)
      var loss = 0.0
      for place in 0..<size {
        let normalized = x[place] / (mean + 1e-3).squareRoot()
        loss += normalized * Double(weight[place]) * Double(outer[place])
      }
      return loss
    }
    for level in testedLevels {
      // The gradient is added to what is there.
      var found = [Float](repeating: 1, count: size)
      vk_rms_norm_gradient(level, x, weight, outer, size, 1e-3, &found)
      Self.expectClose(found.map { $0 - 1 }, expected, "\(level)")
    }
  }

  @Test(
    arguments: [1, 5, 40],
    [(0, -Float.infinity), (1.5, -Float.infinity), (0, 2), (1.5, 0.5)] as [(Float, Float)])
  func softmax(size: Int, kind: (softcap: Float, sink: Float)) {
    var noise = Noise(seed: size)
    let (scores, outer) = (noise.values(size).map { $0 * 9 }, noise.values(size))
    func probabilities(_ scores: [Double]) -> [Double] {
      let cap = Double(kind.softcap)
      let scaled = scores.map { cap > 0 ? cap * tanh($0 * 0.5 / cap) : $0 * 0.5 }
      let weights = scaled.map { exp($0) }
      let total = weights.reduce(0, +) + exp(Double(kind.sink))
      return weights.map { $0 / total }
    }
    let expected = Self.differences(at: scores) { scores in
      zip(probabilities(scores), outer).map { $0 * Double($1) }.reduce(0, +)
    }
    for level in testedLevels {
      var (found, gradients, slopes) = (scores, outer, scores)
      vk_softmax_gradient(
        level, &found, &gradients, size, 0.5, kind.softcap, kind.sink, &slopes)
      Self.expectClose(found, probabilities(scores.map(Double.init)), "\(level)")
      if size > 1 || kind.sink > -.infinity {
        Self.expectClose(gradients, expected, "\(level)")
      } else {
        #expect(gradients == [0])
      }
    }
  }

  /// More positions than a tile of queries, grouped queries, and columns beside the queries.
  @Test(arguments: [(1, 1, 3), (4, 2, 9), (6, 2, 70)])
  func attention(heads: Int, shared: Int, positions: Int) {
    let size = 4
    let attention = Attention(headCount: heads, keyValueHeadCount: shared, headSize: size)
    var noise = Noise(seed: positions)
    let queries = Matrix(
      rows: positions, columns: heads * size + 3,
      values: noise.values(positions * (heads * size + 3)))
    let keys = noise.values(positions * shared * size)
    let values = noise.values(positions * shared * size)
    let outer = Matrix(
      rows: positions, columns: heads * size, values: noise.values(positions * heads * size))
    let pool = WorkerPool(threads: 2)
    let found = attention.gradient(
      queries: queries, keys: keys, values: values, output: outer, on: pool)

    func loss(_ queries: Matrix, _ keys: [Float], _ values: [Float]) -> Double {
      let output = attention.attend(
        queries: queries, keys: CachedVectors(keys, heads: shared, size: size),
        values: CachedVectors(values, heads: shared, size: size), on: pool)
      return product(output.values, outer.values).value
    }
    // The forward pass is single precision: steps are large, and only some places are tried.
    let step: Float = 1 / 64
    for trial in 0..<60 {
      let position = trial * 7 % positions
      let column = trial % (heads + 2 * shared) * size + trial % size
      let (key, value) = (column - heads * size, column - (heads + shared) * size)
      func moved(_ step: Float) -> Double {
        var (queries, keys, values) = (queries, keys, values)
        if key < 0 {
          queries[position, column] += step
        } else if value < 0 {
          keys[position * shared * size + key] += step
        } else {
          values[position * shared * size + value] += step
        }
        return loss(queries, keys, values)
      }
      let expected = (moved(step) - moved(-step)) / Double(2 * step)
      #expect(abs(Double(found[position, column]) - expected) < 1e-3, "\(position) \(column)")
    }
  }

  @Test(arguments: [1, 5, 40, 300], [1, 3])
  func stacksMultiplyTransposed(vectors: Int, threads: Int) throws {
    let columns = 64
    var noise = Noise(seed: vectors)
    let stack: [LayerWeights] = [
      .packed(PackedSample(rows: 70, columns: columns, bits: 3, group: 64, zeros: .points).matrix),
      .stored(try BlockSample.matrix(.q4_1, rows: 40, columns: columns, heads: 5)),
      .dense(
        bits: noise.values(21 * columns).halves(.float16), type: .float16, rows: 21,
        columns: columns),
    ]
    let gradients = Matrix(rows: vectors, columns: 131, values: noise.values(vectors * 131))
    let found = WorkerPool(threads: threads).transposedProducts(of: gradients, with: stack)
    #expect(found.rows == vectors && found.columns == columns)
    let rows = stack.flatMap { weights in (0..<weights.rows).map { weights.decoded(rows: [$0]) } }
    for vector in stride(from: 0, to: vectors, by: max(1, vectors / 5)) {
      for column in 0..<columns {
        let (value, magnitude) = product(rows.map { $0.values[column] }, gradients.row(vector))
        #expect(abs(Double(found[vector, column]) - value) <= 4e-6 * magnitude + 1e-5)
      }
    }
    if threads > 1 {
      #expect(found == WorkerPool(threads: 1).transposedProducts(of: gradients, with: stack))
    }
  }

  @Test func lossesFallTowardsTheLabel() {
    var noise = Noise(seed: 8)
    let logits = Matrix(rows: 3, columns: 50, values: noise.values(150).map { $0 * 4 })
    let found = WorkerPool(threads: 2).lossGradients(at: logits) { row, scores in
      #expect(scores.values == Array(logits.row(row)))
      return 10 * row
    }
    for row in 0..<3 {
      let expected = Self.differences(at: Array(logits.row(row))) { x in
        log(x.map { exp($0) }.reduce(0, +)) - x[10 * row]
      }
      Self.expectClose(Array(found.row(row)), expected, "row \(row)")
    }
  }

  @Test func squaresAndErrorsAreWeighted() {
    var noise = Noise(seed: 2)
    let (x, y) = (
      Matrix(rows: 5, columns: 300, values: noise.values(1500)),
      Matrix(rows: 5, columns: 300, values: noise.values(1500))
    )
    let weights = noise.values(5).map(Double.init)
    var sums = [Double](repeating: 2, count: 290)
    WorkerPool(threads: 2).addWeightedSquares(of: x, columns: 7..<297, weights: weights, to: &sums)
    for (place, sum) in sums.enumerated() {
      var expected = 2.0
      for row in 0..<5 { expected += weights[row] * pow(Double(x[row, place + 7]), 2) }
      #expect(abs(sum - expected) < 1e-12)
    }
    let energies = x.energies(columns: 7..<297)
    let importance = noise.values(300).map { $0 + 1 }
    for row in 0..<5 {
      let energy = x.row(row).dropFirst(7).dropLast(3).map { Double($0) * Double($0) }
      #expect(abs(energies[row] - energy.reduce(0, +)) < 1e-9)
      var error = 0.0
      for column in 0..<300 {
        let difference = Double(x[row, column]) - Double(y[row, column])
        error += difference * difference * Double(importance[column])
      }
      let found = x.weightedError(ofRow: row, after: y, weights: importance)
      #expect(abs(found - error) < 1e-9 * error)
    }
  }
}
