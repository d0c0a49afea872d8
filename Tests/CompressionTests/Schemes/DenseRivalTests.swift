import Compression
import Tensors
import Testing

/// What a masked layer is compared with: the dense scheme of as many bytes.
struct DenseRivalTests {
  private let layer = LayerShape(name: "layer", rows: 64, columns: 512, type: .bfloat16)

  private func rival(
    _ quantization: QuantizationScheme, _ pattern: SparsityPattern
  ) -> QuantizationScheme? {
    Scheme(quantization: quantization, sparsity: SparsityScheme(pattern: pattern))
      .denseRival(for: layer)?.quantization
  }

  /// A bit of mask and the surviving codes, against whole codes; scales are the same on both sides.
  @Test(arguments: [
    (4, 0.5, 3), (4, 0.25, 4), (4, 0.8, nil), (8, 0.5, 5), (2, 0.5, 2), (3, 0.5, 2),
  ])
  func bitsAreThoseThatABitmaskPaysFor(bits: Int, ratio: Double, expected: Int?) {
    #expect(expected == (1 + (1 - ratio) * Double(bits)).wholeBits)
    let found = rival(QuantizationScheme(bits: bits), .unstructured(ratio: ratio))
    #expect(found == expected.map { QuantizationScheme(bits: $0) })
  }

  @Test func groupsStayAndNothingNeedsACalibration() {
    let masked = QuantizationScheme(
      bits: 4, group: .size(32), isSymmetric: false, range: .weighted, method: .gptq)
    #expect(
      rival(masked, .structured(kept: 2, of: 4))
        == QuantizationScheme(bits: 3, group: .size(32), isSymmetric: false, range: .mse))
  }

  /// Q4_0 at half has 1 + 2 + 0.5 bits a weight; Q3_K has 3.4375.
  @Test func blockTypesStandAgainstBlockTypes() {
    #expect(
      rival(QuantizationScheme(block: .q4_0), .unstructured(ratio: 0.5))
        == QuantizationScheme(block: .q3_K))
  }

  @Test func onlyWhatIsPrunedAndQuantizedHasOne() {
    let pruned = Scheme(sparsity: SparsityScheme(pattern: .structured(kept: 2, of: 4)))
    let quantized = Scheme(quantization: QuantizationScheme(bits: 4))
    for scheme in [pruned, quantized, .keep] { #expect(scheme.denseRival(for: layer) == nil) }
  }
}

extension Double {
  /// Whole bits of so many, two at least; nil for fewer.
  fileprivate var wholeBits: Int? { self >= 2 ? Int(self) : nil }
}
