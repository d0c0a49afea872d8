import Checkpoints
import Compression
import Export
import Tensors
import TestSupport
import Testing

/// What GGUF cannot hold has a nearest scheme that it can.
struct GGUFLimitsTests {
  private func nearest(_ scheme: Scheme, columns: Int) throws -> Scheme? {
    let shape = LayerShape(name: "layer", rows: 64, columns: columns, type: .bfloat16)
    return try #require(GGUFLimits.flaw(of: scheme, for: shape)).nearest
  }

  private func block(_ quantization: QuantizationScheme, columns: Int) throws -> BlockType? {
    try nearest(Scheme(quantization: quantization), columns: columns)?.quantization?.block
  }

  @Test func widthComesFirstThenSymmetryThenSize() throws {
    #expect(try block(.init(bits: 4), columns: 256) == .q4_0)
    #expect(try block(.init(bits: 4, isSymmetric: false), columns: 256) == .q4_K)
    #expect(try block(.init(bits: 4, isSymmetric: false), columns: 64) == .q4_1)
    #expect(try block(.init(bits: 7), columns: 256) == .q8_0)
    #expect(try block(.init(bits: 3, group: .channel), columns: 576) == .q4_0)
    #expect(try block(.init(bits: 2, isSymmetric: false), columns: 512) == .q2_K)
    #expect(try block(.init(bits: 4), columns: 48) == nil)
  }

  @Test func methodAndSparsityStayWhereTheyCan() throws {
    let hqq = QuantizationScheme(bits: 5, isSymmetric: false, method: .hqq)
    #expect(
      try nearest(Scheme(quantization: hqq), columns: 256)?.quantization
        == QuantizationScheme(block: .q5_1, range: .minMax, method: .hqq))
    let sparsity = SparsityScheme(pattern: .structured(kept: 2, of: 4))
    let pruned = try nearest(Scheme(quantization: hqq, sparsity: sparsity), columns: 256)
    #expect(
      pruned
        == Scheme(
          quantization: QuantizationScheme(block: .q5_0, range: .minMax), sparsity: sparsity))
  }

  @Test func everythingElseHasANearestThatFits() {
    var random = SeededRandom(seed: 5)
    var refused = 0
    for _ in 0..<500 {
      let columns = 16 * Int.random(in: 1...40, using: &random)
      let shape = LayerShape(name: "layer", rows: 8, columns: columns, type: .float16)
      let scheme = Scheme.random(for: shape, using: &random, blocksOnly: false)
      guard let flaw = GGUFLimits.flaw(of: scheme, for: shape) else { continue }
      refused += 1
      #expect((flaw.nearest == nil) == (columns % 32 != 0))
      guard let nearest = flaw.nearest else { continue }
      #expect(throws: Never.self) { try nearest.validated(for: shape) }
      #expect(GGUFLimits.flaw(of: nearest, for: shape)?.reason == nil)
      #expect(nearest.sparsity == scheme.sparsity)
    }
    #expect(refused > 50)
  }

  @Test func anEncodingNamesEveryLayerThatItRefuses() throws {
    let checkpoint = try Checkpoint.open(Repository.path("Samples/scripture"))
    var schemes = checkpoint.description.layers.map { _ in Scheme.keep }
    schemes[2] = Scheme(quantization: QuantizationScheme(bits: 4))
    schemes[5] = Scheme(quantization: QuantizationScheme(bits: 3))
    let error = #expect(throws: ExportError.self) {
      try GGUFEncoding(model: ExportModel(checkpoint: checkpoint, schemes: schemes))
    }
    guard case .refused(.llamaCpp, let refusals) = error else {
      Issue.record("refused by layer")
      return
    }
    #expect(refusals.map(\.layer) == [2, 5].map { checkpoint.description.layers[$0].name })
    #expect(refusals.map(\.nearest?.quantization?.block) == [.q4_0, .q3_K])
  }
}
