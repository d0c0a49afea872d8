import Compression
import Tensors
import Testing

/// The KLD that a layer's errors are predicted to cost.
struct LayerFisherTests {
  /// Sums that add up to the trace.
  private static let fisher = LayerFisher(
    tokens: 3, inputs: [1, 2, 5], outputs: [6, 2], trace: 8)
  private static let before = Matrix(rows: 2, columns: 3, values: [1, 2, 3, 4, 5, 6])
  private static let after = Matrix(rows: 2, columns: 3, values: [1, 4, 2, 5, 5, 9])

  @Test func divergenceWeighsEachErrorFromBothSides() {
    // Row 0: 6 * (2 * 4 + 5 * 1); row 1: 2 * (1 * 1 + 5 * 9); over twice the trace.
    let expected = [78.0 / 16, 92.0 / 16]
    let found = Self.fisher.divergences(before: Self.before, after: Self.after, rows: [0, 1])
    #expect(found == expected)
    #expect(Self.fisher.divergence(before: Self.before, after: Self.after) == 170.0 / 16)
    let second = Self.fisher.divergences(
      before: Matrix(rows: 1, columns: 3, values: [4, 5, 6]),
      after: Matrix(rows: 1, columns: 3, values: [5, 5, 9]), rows: [1])
    #expect(second == [expected[1]])
  }

  @Test func evenErrorsCostWhatTheRelativeErrorSays() {
    // With even marginals, an error of 0.5 everywhere has a share of the energy.
    let fisher = LayerFisher(tokens: 1, inputs: [2, 2, 2], outputs: [3, 3], trace: 6)
    let energy = 91.0
    let after = Matrix(rows: 2, columns: 3, values: Self.before.values.map { $0 + 0.5 })
    let found = fisher.divergence(before: Self.before, after: after)
    let relative = 6 * 0.25 / energy
    #expect(abs(found - relative * fisher.divergencePerRelativeError(energy: energy)) < 1e-12)
  }

  @Test func layersWithoutGradientCostNothing() {
    let fisher = LayerFisher(tokens: 1, inputs: [0, 0, 0], outputs: [0, 0], trace: 0)
    #expect(fisher.divergence(before: Self.before, after: Self.after) == 0)
  }
}
