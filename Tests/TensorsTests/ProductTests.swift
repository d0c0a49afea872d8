import Testing

@testable import Tensors

/// Products of stacks of matrices, whatever they hold and however many vectors there are.
struct ProductTests {
  @Test(arguments: [1, 2, 5, 6, 33, 66], [1, 2, 3])
  func stacksMultiplyAsTheirDecodedRows(vectors: Int, threads: Int) throws {
    let columns = 192
    var noise = Noise(seed: vectors)
    let inputs = Matrix(
      rows: vectors, columns: columns, values: noise.values(vectors * columns))
    let blocks = try BlockSample.matrix(.q4_1, rows: 40, columns: columns, heads: 5)
    let stack: [LayerWeights] = [
      .packed(PackedSample(rows: 130, columns: columns, bits: 3, group: 64, zeros: .points).matrix),
      .stored(
        try RowKernelTests.matrix(
          noise.values(36 * columns), .bfloat16, 36, columns, .interleavedHalves(heads: 3))),
      .packed(
        PackedSample(rows: 1, columns: columns, bits: 8, group: 12, zeros: .symmetric).matrix),
      .stored(blocks),
      .dense(
        bits: noise.values(20 * columns).halves(.float16), type: .float16, rows: 20,
        columns: columns),
    ]
    let found = WorkerPool(threads: threads).products(of: inputs, with: stack)
    #expect(found.rows == vectors && found.columns == 227)
    let rows = stack.flatMap { weights in (0..<weights.rows).map { weights.decoded(rows: [$0]) } }
    for vector in 0..<vectors {
      for (place, row) in rows.enumerated() {
        let (value, magnitude) = product(row.values, inputs.row(vector))
        #expect(abs(Double(found[vector, place]) - value) <= 4e-6 * magnitude + 1e-5)
      }
    }
  }

  @Test func nothingTimesSomethingIsNothing() throws {
    let weights = LayerWeights.dense(bits: [0, 0], type: .bfloat16, rows: 1, columns: 2)
    let pool = WorkerPool(threads: 2)
    #expect(pool.products(of: Matrix(rows: 0, columns: 2), with: [weights]).values.isEmpty)
    let none = pool.products(of: Matrix(rows: 2, columns: 2), with: [LayerWeights]())
    #expect(none.rows == 2 && none.columns == 0)
  }

  @Test func bytesAreThoseOfTheParts() {
    let points = PackedSample(rows: 4, columns: 64, bits: 3, group: 32, zeros: .points)
    #expect(LayerWeights.packed(points.matrix).byteCount == 4 * 6 * 4 + 8 * 2 + 8)
    let minimums = PackedSample(rows: 4, columns: 64, bits: 4, group: 32, zeros: .minimums)
    #expect(LayerWeights.packed(minimums.matrix).byteCount == 4 * 8 * 4 + 8 * 2 + 8 * 2)
    let dense = LayerWeights.dense(bits: [1, 2], type: .float16, rows: 2, columns: 1)
    #expect(dense.byteCount == 4)
  }
}
