import Tensors
import Testing

@testable import Procedures

/// Norms that take channel scales back, as 16 bits store them.
@Suite struct FoldedNormTests {
  private let norm: [Float] = [1, 0.3125, -2.75, 0, 0.001953125, 61_440]
  private let scales: [Float] = [0.7, 1.9, 3.3, 2, 1e9, 0.01]

  @Test(arguments: [ElementType.bfloat16, .float16])
  func roundingMovesTheScalesInstead(_ type: ElementType) {
    let folded = FoldedNorm(name: "norm", dividing: norm, by: scales, storedAs: type)
    // A reader of the tensor gets these very weights.
    #expect(type.widened(type.rounded(folded.weights)) == folded.weights)
    let found = folded.scales(from: norm)
    for channel in norm.indices {
      #expect(
        abs(folded.weights[channel] * found[channel] - norm[channel]) <= 1e-6 * abs(norm[channel]))
      #expect(found[channel] > 0 && found[channel].isFinite)
    }
    for channel in 0..<3 { #expect(abs(found[channel] / scales[channel] - 1) < 1 / 128) }
    #expect(found[3] == 1)
  }

  @Test func singlePrecisionIsDividedOnly() {
    let folded = FoldedNorm(name: "norm", dividing: norm, by: scales, storedAs: .float32)
    #expect(folded.weights[1] == norm[1] / scales[1])
    #expect(folded.scales(from: norm)[3] == 1)
  }
}
