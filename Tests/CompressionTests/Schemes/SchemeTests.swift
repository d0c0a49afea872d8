import Compression
import Tensors
import Testing

struct SchemeTests {
  static func shape(columns: Int) -> LayerShape {
    LayerShape(name: "layer", rows: 8, columns: columns, type: .float16)
  }

  @Test func groupSizesDivideTheRow() {
    #expect(GroupSize.validGroupSizes(columns: 576) == [16, 32, 64])
    #expect(GroupSize.validGroupSizes(columns: 1536) == [16, 32, 64, 128, 256])
    #expect(GroupSize.validGroupSizes(columns: 13).isEmpty)
    #expect(GroupSize.validGroupSizes(columns: 0).isEmpty)
  }

  @Test(arguments: [
    Scheme.keep,
    Scheme(quantization: QuantizationScheme(bits: 2, group: .channel)),
    Scheme(quantization: QuantizationScheme(bits: 8, group: .size(64))),
    Scheme(sparsity: SparsityScheme(pattern: .structured(kept: 2, of: 4))),
    Scheme(sparsity: SparsityScheme(pattern: .unstructured(ratio: 0.999))),
  ])
  func acceptsWhatFits(scheme: Scheme) throws {
    try scheme.validated(for: Self.shape(columns: 576))
  }

  @Test(arguments: [
    Scheme(quantization: QuantizationScheme(bits: 1)),
    Scheme(quantization: QuantizationScheme(bits: 9)),
    Scheme(quantization: QuantizationScheme(bits: 4, group: .size(128))),
    Scheme(quantization: QuantizationScheme(bits: 4, group: .size(9))),
    Scheme(quantization: QuantizationScheme(bits: 4, group: .size(0))),
    Scheme(quantization: QuantizationScheme(bits: 4, group: .size(-64))),
    Scheme(sparsity: SparsityScheme(pattern: .structured(kept: 2, of: 5))),
    Scheme(sparsity: SparsityScheme(pattern: .structured(kept: 0, of: 4))),
    Scheme(sparsity: SparsityScheme(pattern: .structured(kept: 4, of: 4))),
    Scheme(sparsity: SparsityScheme(pattern: .structured(kept: 1, of: 0))),
    Scheme(sparsity: SparsityScheme(pattern: .structured(kept: 1, of: 64))),
    Scheme(sparsity: SparsityScheme(pattern: .unstructured(ratio: 0))),
    Scheme(sparsity: SparsityScheme(pattern: .unstructured(ratio: 1))),
    Scheme(sparsity: SparsityScheme(pattern: .unstructured(ratio: .nan))),
  ])
  func refusesWhatDoesNotFit(scheme: Scheme) {
    let error = #expect(throws: PlanError.self) {
      try scheme.validated(for: Self.shape(columns: 576))
    }
    #expect(error?.layer == "layer")
  }

  @Test func summariesAreShort() {
    let pattern = SparsityScheme(pattern: .structured(kept: 2, of: 4))
    #expect(Scheme.keep.summary == "keep")
    #expect(Scheme(quantization: QuantizationScheme(bits: 4)).summary == "4 bit g64 sym")
    #expect(
      Scheme(
        quantization: QuantizationScheme(
          bits: 8, group: .channel, isSymmetric: false, range: .mse), sparsity: pattern
      ).summary == "8 bit channel asym mse, 2:4 50 %")
    #expect(
      Scheme(sparsity: SparsityScheme(pattern: .unstructured(ratio: 0.333))).summary == "33.3 %")
  }
}
