import Compression
import Tensors
import Testing

/// Sizes worked out by hand from compressed-tensors' layout of `pack-quantized`.
struct LayerSizeTests {
  /// SmolLM2's k_proj: 192 x 576.
  static let key = LayerShape(name: "k", rows: 192, columns: 576, type: .bfloat16)
  static let original = 192 * 576 * 2

  static func size(_ scheme: Scheme, of shape: LayerShape = key) -> LayerSize {
    .predicted(for: shape, scheme: scheme, original: original)
  }

  @Test func countsSymmetricCodesAndScales() {
    let size = Self.size(Scheme(quantization: QuantizationScheme(bits: 4)))
    #expect(size.codes == 192 * 72 * 4)
    #expect(size.scales == 192 * 9 * 2)
    #expect(size.zeroPoints == 0 && size.mask == 0 && size.withBitmask == nil)
    #expect(size.padding == 16)
    #expect(size.original == Self.original)
    #expect(size.total == 192 * 72 * 4 + 192 * 9 * 2 + 16)
  }

  @Test func countsTheFillOfLastWords() {
    let shape = LayerShape(name: "odd", rows: 5, columns: 13, type: .float16)
    let scheme = Scheme(
      quantization: QuantizationScheme(bits: 3, group: .channel, isSymmetric: false))
    let size = Self.size(scheme, of: shape)
    // 13 * 3 = 39 bits: two words a row; five zero points of 3 bits: one word.
    #expect(size.codes == (5 * 39 + 7) / 8)
    #expect(size.codes + size.zeroPoints + size.padding == 5 * 8 + 4 + 16)
    #expect(size.zeroPoints == 2)
    #expect(size.scales == 10)
  }

  @Test func packsZeroPointsDownTheRows() {
    let scheme = Scheme(quantization: QuantizationScheme(bits: 5, isSymmetric: false))
    let size = Self.size(scheme)
    #expect(size.zeroPoints + size.codes + size.padding == 192 * 90 * 4 + 9 * 30 * 4 + 16)
  }

  @Test func storesZerosDensely() {
    let half = SparsityScheme(pattern: .unstructured(ratio: 0.5))
    let size = Self.size(Scheme(sparsity: half))
    #expect(size.codes == Self.original && size.total == Self.original)
    #expect(size.withBitmask == 192 * 576 / 8 + Self.original / 2)
    let both = Self.size(Scheme(quantization: QuantizationScheme(bits: 4), sparsity: half))
    #expect(both.total == Self.size(Scheme(quantization: QuantizationScheme(bits: 4))).total)
    #expect(both.withBitmask == 192 * 72 + 192 * 36 * 4 + 192 * 9 * 2)
  }

  @Test func keptLayersTakeWhatTheyTook() {
    let size = Self.size(.keep)
    #expect(size.total == Self.original && size.withBitmask == nil)
  }

  @Test func patternsZeroTheWholePartOfTheirShare() {
    #expect(SparsityPattern.unstructured(ratio: 0.3).zeros(rows: 3, columns: 7) == 6)
    #expect(SparsityPattern.unstructured(ratio: 0.01).zeros(rows: 3, columns: 7) == 0)
    #expect(SparsityPattern.structured(kept: 2, of: 4).zeros(rows: 3, columns: 8) == 12)
    #expect(SparsityPattern.structured(kept: 1, of: 4).zeros(rows: 3, columns: 8) == 18)
  }
}
