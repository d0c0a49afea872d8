import TestSupport
import Testing

@testable import Tensors

/// The gated delta rule and the short convolution, and their gradients, against PyTorch.
struct RecordedDeltaTests {
  private struct Recorded: Decodable {
    struct Delta: Decodable {
      let positions, keyHeads, valueHeads, keySize, valueSize: Int
      let corrects: Bool
      let inputs, retentions, rates, output, state, outer: PackedNumbers
      let gradient, atRetentions, atRates: PackedNumbers
    }
    struct Convolution: Decodable {
      let positions, channels, taps: Int
      let inputs, weights, output, outer, gradient: PackedNumbers
    }
    let deltas: [Delta]
    let convolutions: [Convolution]

    static func read() throws -> Recorded {
      try Repository.fixture("delta.json", of: "TensorsTests", as: Recorded.self)
    }
  }

  private let pool = WorkerPool(threads: 2)

  private func expectClose(_ found: [Float], _ expected: [Float], _ comment: Comment) {
    #expect(largestError(found, expected) < 2e-6, comment)
  }

  @Test func theDeltaRuleAndItsGradient() throws {
    for recorded in try Recorded.read().deltas {
      let rule = GatedDelta(
        keyHeadCount: recorded.keyHeads, valueHeadCount: recorded.valueHeads,
        keySize: recorded.keySize, valueSize: recorded.valueSize, corrects: recorded.corrects)
      let comment: Comment = "\(recorded.positions) positions"
      func matrix(_ numbers: PackedNumbers, _ columns: Int) -> Matrix {
        Matrix(rows: recorded.positions, columns: columns, values: numbers.floats)
      }
      let inputs = matrix(recorded.inputs, rule.width)
      let retentions = matrix(recorded.retentions, recorded.valueHeads)
      let rates = matrix(recorded.rates, recorded.valueHeads)
      var state = rule.emptyState
      let found = rule.outputs(
        of: inputs, retentions: retentions, rates: rates, state: &state, on: pool)
      expectClose(found.values, recorded.output.floats, comment)
      expectClose(state, recorded.state.floats, comment)
      let gradient = rule.gradient(
        at: inputs, retentions: retentions, rates: rates,
        outputs: matrix(recorded.outer, recorded.valueHeads * recorded.valueSize), on: pool)
      expectClose(gradient.inputs.values, recorded.gradient.floats, comment)
      expectClose(gradient.rates.values, recorded.atRates.floats, comment)
      // A state of zeros has no use for what it keeps, nor a gradient there.
      guard recorded.positions > 1 else { continue }
      expectClose(gradient.retentions.values, recorded.atRetentions.floats, comment)
    }
  }

  /// However a sequence is parted, states and windows carry what came before.
  @Test func sequencesMayBeReadInParts() throws {
    let recorded = try #require(try Recorded.read().deltas.first)
    let rule = GatedDelta(
      keyHeadCount: recorded.keyHeads, valueHeadCount: recorded.valueHeads,
      keySize: recorded.keySize, valueSize: recorded.valueSize)
    func part(_ numbers: PackedNumbers, _ columns: Int, _ rows: Range<Int>) -> Matrix {
      let values = numbers.floats[rows.lowerBound * columns..<rows.upperBound * columns]
      return Matrix(rows: rows.count, columns: columns, values: Array(values))
    }
    var (state, found) = (rule.emptyState, [Float]())
    for rows in [0..<1, 1..<70, 70..<71, 71..<150] {
      found +=
        rule.outputs(
          of: part(recorded.inputs, rule.width, rows),
          retentions: part(recorded.retentions, recorded.valueHeads, rows),
          rates: part(recorded.rates, recorded.valueHeads, rows), state: &state, on: pool
        ).values
    }
    expectClose(found, recorded.output.floats, "in parts")
  }

  @Test func convolutionsAndTheirGradients() throws {
    for recorded in try Recorded.read().convolutions {
      let convolution = ShortConvolution(
        weights: recorded.weights.floats, channels: recorded.channels)
      #expect(convolution.taps == recorded.taps)
      let comment: Comment = "\(recorded.positions) positions, \(recorded.taps) taps"
      let inputs = Matrix(
        rows: recorded.positions, columns: recorded.channels, values: recorded.inputs.floats)
      // Columns after the channels are not read.
      let wide = inputs.beside(Matrix(rows: recorded.positions, columns: 3))
      var window = convolution.emptyWindow
      let found = convolution.outputs(of: wide, after: &window)
      expectClose(found.values, recorded.output.floats, comment)
      var (single, parts) = (convolution.emptyWindow, [Float]())
      for row in 0..<recorded.positions {
        let input = Matrix(
          rows: 1, columns: recorded.channels, values: Array(inputs.row(row)))
        parts += convolution.outputs(of: input, after: &single).values
      }
      expectClose(parts, recorded.output.floats, comment)
      #expect(single == window)
      let outer = Matrix(
        rows: recorded.positions, columns: recorded.channels, values: recorded.outer.floats)
      expectClose(
        convolution.gradient(outputs: outer).values, recorded.gradient.floats, comment)
    }
  }

  @Test func headsGoFromOneOrderToTheOther() {
    let tiling = HeadTiling(groups: 3, heads: 2)
    // Heads 0 to 5 in pairs: the first of each pair come first.
    #expect(tiling.groupedHeads == [0, 2, 4, 1, 3, 5])
    for count in [6, 24] {
      for place in 0..<count {
        #expect(tiling.grouped(tiling.tiled(place, of: count), of: count) == place)
      }
    }
    let matrix = Matrix(rows: 1, columns: 6, values: [0, 1, 2, 3, 4, 5])
    let parts = tiling.groupedHeads.map { $0..<$0 + 1 }
    #expect(matrix.columns(in: parts).values == [0, 2, 4, 1, 3, 5])
    #expect(matrix.columns(in: parts).columns(backFrom: parts, of: 6) == matrix)
  }
}
