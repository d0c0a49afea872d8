import Testing

@testable import Tensors

/// Grids: what is stored decodes to what the grid says, and searches lower the error that they weigh.
struct QuantizationGridTests {
  static let types: [ElementType] = [
    .q4_0, .q4_1, .q5_0, .q5_1, .q8_0, .q2_K, .q3_K, .q4_K, .q5_K, .q6_K, .iq4_nl,
  ]

  /// Rows of heavy-tailed weights, a row of zeros, and one of a single sign.
  static func weights(rows: Int = 6, columns: Int = 512, seed: Int = 1) -> Matrix {
    var noise = Noise(seed: seed)
    var values = noise.values(rows * columns).map { $0 * $0 * $0 * 0.1 }
    for index in 0..<columns {
      values[index] = 0
      values[columns + index] = abs(values[columns + index]) + 0.01
    }
    return Matrix(rows: rows, columns: columns, values: values)
  }

  static func importance(columns: Int) -> [Float] {
    var noise = Noise(seed: 5)
    return noise.values(columns).map { 0.01 + $0 * $0 * ($0 > 0.9 ? 30 : 1) }
  }

  static func error(of grid: QuantizationGrid, _ matrix: Matrix, _ importance: [Float]) -> Double {
    let after = grid.weights(of: grid.nearest(matrix))
    var total = 0.0
    for (index, weight) in matrix.values.enumerated() {
      let difference = Double(weight) - Double(after.values[index])
      total += Double(importance[index % matrix.columns]) * difference * difference
    }
    return total
  }

  @Test(arguments: [FloatFormat.nvfp4, .mxfp4])
  func floatsDecodeToTheGridsWeights(format: FloatFormat) {
    let matrix = Self.weights()
    let floats = FloatGrid(
      fitting: matrix, format: format, layerRows: Array(0..<matrix.rows), ranges: nil,
      fit: .leastError, type: .bfloat16)
    let grid = QuantizationGrid(floats, of: matrix)
    let codes = grid.nearest(matrix)
    let meant = grid.weights(of: codes)
    #expect(grid.storage(of: codes).decoded().values == meant.values)
    // Ties aside, the places of levels are the codes that the format itself rounds to.
    let rounded = floats.nearest(matrix).decoded(rows: 0..<matrix.rows)
    for (index, weight) in matrix.values.enumerated() {
      #expect(abs(meant.values[index] - weight) == abs(rounded.values[index] - weight))
    }
  }

  /// Groups are searched sixteen at a time, whichever rows they are of: each finds what it finds alone.
  @Test(arguments: [RangeFit.extremes, .leastError])
  func rowsDoNotDependOnEachOther(fit: RangeFit) {
    let (rows, columns) = (7, 768)
    let matrix = Self.weights(rows: rows, columns: columns)
    for importance in [nil, Self.importance(columns: columns)] {
      func grids(_ matrix: Matrix) -> [QuantizationGrid] {
        Self.types.map {
          QuantizationGrid(fitting: matrix, type: $0, fit: fit, importance: importance)
        }
          + [(2, 16), (3, 48), (4, 256), (8, 768)].map { bits, group in
            QuantizationGrid(
              fitting: matrix, bits: bits, groupSize: group, isSymmetric: bits == 3, fit: fit,
              importance: importance, scaleType: .bfloat16)
          }
      }
      let together = grids(matrix)
      for row in 0..<rows {
        let alone = grids(Matrix(rows: 1, columns: columns, values: Array(matrix.row(row))))
        for (all, one) in zip(together, alone) {
          let groups = row * all.groupsPerRow..<(row + 1) * all.groupsPerRow
          #expect(Array(all.scales[groups]) == one.scales)
          #expect(Array(all.zeros[groups]) == one.zeros)
          #expect(Array(all.minimums[groups]) == one.minimums)
        }
      }
    }
  }

  @Test(arguments: types)
  func blocksDecodeToTheGridsWeights(type: ElementType) {
    let matrix = Self.weights()
    for fit in [RangeFit.extremes, .leastError] {
      let grid = QuantizationGrid(fitting: matrix, type: type, fit: fit)
      let codes = grid.nearest(matrix)
      let meant = grid.weights(of: codes)
      #expect(grid.storage(of: codes).decoded().values == meant.values)
      #expect(
        grid.nearest(meant) == codes || meant.values == grid.weights(of: grid.nearest(meant)).values
      )
      #expect(meant.row(0).allSatisfy { $0 == 0 })
    }
  }

  @Test(arguments: 2...8, [true, false])
  func integersDecodeToTheGridsWeights(bits: Int, isSymmetric: Bool) {
    let matrix = Self.weights()
    let grid = QuantizationGrid(
      fitting: matrix, bits: bits, groupSize: 64, isSymmetric: isSymmetric, fit: .leastError,
      importance: Self.importance(columns: 512), scaleType: .float16)
    let codes = grid.nearest(matrix)
    #expect(grid.storage(of: codes).decoded().values == grid.weights(of: codes).values)
    #expect(grid.holdsZero)
  }

  @Test(arguments: types)
  func searchesLowerTheErrorTheyWeigh(type: ElementType) {
    let matrix = Self.weights(seed: 3)
    let importance = Self.importance(columns: 512)
    let even = Array(repeating: Float(1), count: 512)
    let plain = QuantizationGrid(fitting: matrix, type: type, fit: .extremes)
    let searched = QuantizationGrid(fitting: matrix, type: type, fit: .leastError)
    let weighted = QuantizationGrid(
      fitting: matrix, type: type, fit: .leastError, importance: importance)
    #expect(Self.error(of: searched, matrix, even) < Self.error(of: plain, matrix, even))
    #expect(
      Self.error(of: weighted, matrix, importance) < Self.error(of: searched, matrix, importance))
  }

  @Test func evenImportanceIsNone() {
    let matrix = Self.weights()
    let even = Array(repeating: Float(1), count: 512)
    for type in Self.types {
      let grid = QuantizationGrid(fitting: matrix, type: type, fit: .leastError)
      let same = QuantizationGrid(fitting: matrix, type: type, fit: .leastError, importance: even)
      #expect(grid.scales == same.scales && grid.minimums == same.minimums)
    }
  }
}
