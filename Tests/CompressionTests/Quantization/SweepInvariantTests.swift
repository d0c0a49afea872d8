@testable import Compression
import Tensors
import Testing

/// What holds for every sweep, whatever weights and inputs.
struct SweepInvariantTests {
  private static let scheme = QuantizationScheme(bits: 3, group: .size(16), isSymmetric: false)

  private static func grid(
    _ weights: Matrix, _ scheme: QuantizationScheme = scheme
  ) -> QuantizationGrid {
    QuantizationGrid(fitting: weights, scheme: scheme, weights: nil, scaleType: .float16)
  }

  private static func swept(
    _ weights: Matrix, _ factor: HessianFactor, _ grid: QuantizationGrid?,
    zeros: ColumnSweep.Zeros = .none, blockSize: Int = ColumnSweep.blockSize
  ) -> ColumnSweep {
    var sweep = ColumnSweep(
      weights, factor: factor, grid: grid, zeros: zeros, blockSize: blockSize)
    sweep.run()
    return sweep
  }

  private static func difference(_ after: Matrix, _ before: Matrix) -> Matrix {
    Matrix(
      rows: before.rows, columns: before.columns,
      values: zip(after.values, before.values).map { $0 - $1 })
  }

  @Test(arguments: BlockType.allCases.filter { !$0.isSuperBlock })
  func independentInputsGiveRoundingInBlocks(type: BlockType) {
    let weights = Matrix.heavyTailed(rows: 5, columns: 96, seed: 3)
    var gram = Matrix(rows: 96, columns: 96)
    for column in 0..<96 { gram[column, column] = Float(column % 7) + 0.5 }
    let grid = Self.grid(weights, QuantizationScheme(block: type))
    let sweep = Self.swept(weights, HessianFactor(gram: gram), grid)
    #expect(sweep.resultCodes == grid.nearest(weights))
    #expect(sweep.result == grid.weights(of: sweep.resultCodes))
  }

  @Test(arguments: [2, 3, 4, 8], [true, false])
  func independentInputsGiveRounding(bits: Int, isSymmetric: Bool) {
    let weights = Matrix.heavyTailed(rows: 37, columns: 288, seed: 5)
    var gram = Matrix(rows: 288, columns: 288)
    for column in 0..<288 { gram[column, column] = 3 }
    let scheme = QuantizationScheme(bits: bits, group: .size(32), isSymmetric: isSymmetric)
    let grid = Self.grid(weights, scheme)
    let sweep = Self.swept(weights, HessianFactor(gram: gram), grid)
    #expect(sweep.resultCodes == grid.nearest(weights))
  }

  @Test(arguments: [HessianFactor.Order.falling, .stored])
  func sizeOfBlocksMakesNoDifference(ordering: HessianFactor.Order) {
    let weights = Matrix.heavyTailed(rows: 19, columns: 128, seed: 7)
    let factor = HessianFactor(
      gram: .gram(columns: 128, count: 300, seed: 8), ordering: ordering)
    let grid = Self.grid(weights)
    let whole = Self.swept(weights, factor, grid)
    for size in [1, 16, 48] {
      let sweep = Self.swept(weights, factor, grid, blockSize: size)
      let moved = zip(sweep.resultCodes, whole.resultCodes).filter { $0 != $1 }.count
      #expect(moved <= 2, "blocks of \(size): \(moved) codes differ")
      for (loss, expected) in zip(sweep.rowLosses, whole.rowLosses) {
        #expect(abs(loss / expected - 1) < 1e-2)
      }
    }
    // Without a grid nothing amplifies the last bit.
    let dense = Self.swept(weights, factor, nil, zeros: .kept, blockSize: 16).result
    #expect(dense == weights)
  }

  @Test func scaleOfInputsMakesNoDifference() {
    let weights = Matrix.heavyTailed(rows: 9, columns: 160, seed: 9)
    let gram = Matrix.gram(columns: 160, count: 400, seed: 10)
    let grid = Self.grid(weights)
    let expected = Self.swept(weights, HessianFactor(gram: gram), grid)
    for scale in [Float(0x1p-30), 0x1p40] {
      var scaled = gram
      for place in scaled.values.indices { scaled.values[place] *= scale }
      let sweep = Self.swept(weights, HessianFactor(gram: scaled), grid)
      #expect(sweep.resultCodes == expected.resultCodes)
    }
  }

  @Test(arguments: 1...12)
  func outputsAreNearerThanRounding(seed: UInt64) {
    let columns = [48, 64, 144][Int(seed) % 3]
    let weights = Matrix.heavyTailed(rows: 12, columns: columns, seed: seed)
    let gram = Matrix.gram(columns: columns, count: 2 * columns, seed: seed + 100)
    let bits = 2 + Int(seed) % 4
    let grid = Self.grid(
      weights, QuantizationScheme(bits: bits, group: .size(16), isSymmetric: seed % 2 == 0))
    let sweep = Self.swept(weights, HessianFactor(gram: gram), grid)
    func loss(_ after: Matrix) -> Double {
      Self.difference(after, weights).quadraticForms(gram).reduce(0, +)
    }
    #expect(loss(sweep.result) < loss(grid.weights(of: grid.nearest(weights))))
  }

  @Test func lossesAreThoseOfTheDampedInputs() {
    let weights = Matrix.heavyTailed(rows: 8, columns: 144, seed: 21)
    var gram = Matrix.gram(columns: 144, count: 400, seed: 22)
    let factor = HessianFactor(gram: gram)
    let sweep = Self.swept(weights, factor, Self.grid(weights))
    for column in 0..<144 { gram[column, column] += factor.damping * factor.scale }
    let expected = Self.difference(sweep.result, weights).quadraticForms(gram)
    for (loss, expected) in zip(sweep.rowLosses, expected) {
      #expect(abs(loss / expected - 1) < 2e-3)
    }
  }

  @Test func rowsDoNotDependOnEachOther() throws {
    let layer = try #require(TestLayer(.heavyTailed(rows: 41, columns: 96, seed: 31)))
    let statistics = InputStatistics(gram: .gram(columns: 96, count: 300, seed: 32))
    let scheme = Scheme(
      quantization: QuantizationScheme(bits: 4, group: .size(32), range: .weighted, method: .gptq))
    let whole = try #require(try layer.compressed(scheme, step: 41, statistics: statistics))
    let sliced = try #require(
      try layer.compressed(
        scheme, step: 33, statistics: statistics, pool: WorkerPool(threads: 2)))
    #expect(whole.layer.weights.decoded(rows: 0..<41) == sliced.layer.weights.decoded(rows: 0..<41))
    let trial = try LayerTrial(
      matrix: layer.matrix, shape: layer.shape, scheme: scheme, statistics: statistics)
    let rows = trial.compressed(rows: [40, 3, 17])
    #expect(rows.before == layer.matrix.decoded(rows: [40, 3, 17]))
    for (place, row) in [40, 3, 17].enumerated() {
      #expect(
        rows.after.row(place).elementsEqual(whole.layer.weights.decoded(rows: row..<row + 1).values)
      )
    }
  }
}
