import Allocation
import Compression
import Tensors
import Testing
import TestSupport

@Suite struct TrialRowsTests {
  let weights: Matrix
  let matrix: LayerWeights
  let fisher: LayerFisher

  /// Rows and channels whose sizes differ a lot, as real ones do.
  init() throws {
    var random = SeededRandom(seed: 5)
    func heavy() -> Float { 1 / (0.05 + Float.random(in: 0..<1, using: &random)) }
    let (rows, columns) = (200, 64)
    var weights = Matrix(rows: rows, columns: columns)
    for row in 0..<rows {
      let size = heavy()
      for column in 0..<columns {
        weights[row, column] = size * Float.random(in: -1...1, using: &random)
      }
    }
    self.weights = weights
    let bytes = weights.values.flatMap { value in
      (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * $0)) }
    }
    matrix = .stored(
      StoredMatrix(copying: bytes, type: .float32, rows: rows, columns: columns))
    fisher = LayerFisher(
      tokens: 100, inputs: (0..<columns).map { _ in heavy() },
      outputs: (0..<rows).map { _ in heavy() }, trace: 321)
  }

  func trialRows(_ name: String, count: Int) throws -> TrialRows {
    try TrialRows(of: matrix, layer: name, fisher: fisher, count: count, rowsASlice: 33)
  }

  /// Three bits, one scale a row.
  func rounded(_ matrix: Matrix) -> Matrix {
    var rounded = matrix
    for row in 0..<matrix.rows {
      let step = (matrix.row(row).map(abs).max() ?? 0) / 3.5
      for column in 0..<matrix.columns {
        rounded[row, column] = (matrix[row, column] / step).rounded() * step
      }
    }
    return rounded
  }

  func part(_ rows: [Int], of matrix: Matrix) -> Matrix {
    Matrix(
      rows: rows.count, columns: matrix.columns, values: rows.flatMap { Array(matrix.row($0)) })
  }

  @Test func samplesEstimateTheWholeLayerWithTheErrorThatTheySay() throws {
    let truth = fisher.divergence(before: weights, after: rounded(weights))
    var within = 0
    var errors: [Double] = []
    for number in 0..<60 {
      let rows = try trialRows("layer \(number)", count: 48)
      let before = part(rows.rows, of: weights)
      let found = rows.divergence(before: before, after: rounded(before))
      errors.append(found.value / truth - 1)
      if abs(found.value - truth) < 2.02 * found.standardError { within += 1 }
    }
    #expect(within >= 50)
    #expect(abs(errors.reduce(0, +) / 60) < 0.03)
    #expect(errors.allSatisfy { abs($0) < 0.3 })
  }

  @Test func anErrorInProportionToTheWeightsIsKnownExactly() throws {
    let rows = try trialRows("layer", count: 16)
    let before = part(rows.rows, of: weights)
    var half = before
    for index in half.values.indices { half.values[index] /= 2 }
    let nothing = Matrix(rows: weights.rows, columns: weights.columns)
    let all = fisher.divergence(before: weights, after: nothing)
    let found = rows.divergence(before: before, after: half)
    #expect(abs(found.value / (all / 4) - 1) < 1e-5)
    #expect(found.standardError < 1e-5 * all)
    let energy = weights.values.reduce(0) { $0 + Double($1) * Double($1) }
    #expect(abs(rows.energy / energy - 1) < 1e-6)
  }

  /// Errors that cancel in the outputs count by what is left of them.
  @Test func errorsThatCancelCountByWhatIsLeft() throws {
    let rows = try trialRows("layer", count: 16)
    let before = part(rows.rows, of: weights)
    var after = before
    // Neighbouring channels are off by the same amount to opposite sides.
    for index in after.values.indices { after.values[index] += index % 2 == 0 ? 0.01 : -0.01 }
    var gram = Matrix(rows: fisher.inputs.count, columns: fisher.inputs.count)
    for channel in 0..<gram.rows { gram[channel, channel] = 2 }
    let independent = rows.divergence(before: before, after: after)
    let same = rows.divergence(
      before: before, after: after,
      cancellation: TrialRows.cancellation(before: before, after: after, gram: gram))
    #expect(abs(same.value / independent.value - 1) < 1e-5)
    // Neighbours whose inputs are alike by 0.9: a tenth of the error is left.
    for channel in 0..<gram.rows { gram[channel, channel ^ 1] = 1.8 }
    let correlated = rows.divergence(
      before: before, after: after,
      cancellation: TrialRows.cancellation(before: before, after: after, gram: gram))
    #expect(abs(correlated.value / independent.value - 0.1) < 1e-4)
  }

  @Test func damagedRowsAreNamed() throws {
    var bytes = [UInt8](repeating: 0, count: 4 * 4 * 3)
    bytes.replaceSubrange(4 * 4 + 2..<4 * 4 + 4, with: [0xc0, 0x7f])
    let damaged = LayerWeights.stored(
      StoredMatrix(copying: bytes, type: .float32, rows: 3, columns: 4))
    let fisher = LayerFisher(
      tokens: 1, inputs: [1, 1, 1, 1], outputs: [1, 1, 1], trace: 1)
    let error = #expect(throws: CompressionError.self) {
      try TrialRows(of: damaged, layer: "layer", fisher: fisher)
    }
    #expect(error?.row == 1)
  }
}
