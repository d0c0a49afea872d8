import Checkpoints
import Compression
import Export
import Inference
import Tensors
import TestSupport
import Testing

/// What a target cannot hold has a nearest scheme that it can.
struct CompressedTensorsLimitsTests {
  private static let targets: [ExportTarget] = [.transformers, .vllm, .vllmCPU]

  private func nearest(
    _ quantization: QuantizationScheme, _ target: ExportTarget,
    of layer: String = "model.layers.0.mlp.down_proj", rows: Int = 64, columns: Int = 512
  ) -> QuantizationScheme?? {
    let shape = LayerShape(
      name: layer, rows: rows, columns: columns, type: .bfloat16,
      isEmbedding: layer.hasSuffix("embed_tokens"))
    return CompressedTensorsLimits.flaw(
      of: Scheme(quantization: quantization), for: shape, target: target
    ).map { $0.nearest?.quantization }
  }

  @Test func blocksBecomeIntegersOfTheirWidth() {
    #expect(
      nearest(.init(block: .q4_0), .transformers)
        == .init(bits: 4, group: .size(32), range: .mse))
    #expect(
      nearest(.init(block: .q5_1, method: .hqq), .vllm)
        == .init(bits: 5, group: .size(32), isSymmetric: false, range: .mse, method: .hqq))
    #expect(
      nearest(.init(block: .q6_K), .vllm) == .init(bits: 6, group: .size(32), range: .mse))
    #expect(
      nearest(.init(block: .q3_K), .vllmCPU) == .init(bits: 4, group: .size(16), range: .mse))
    #expect(
      nearest(.init(block: .q8_0), .vllmCPU) == .init(bits: 8, group: .channel, range: .mse))
  }

  @Test func serversHaveKernelsForSomeGroupsAndWidths() {
    #expect(nearest(.init(bits: 3, group: .size(128)), .vllm) == nil)
    #expect(nearest(.init(bits: 4, group: .size(256)), .vllm) == .init(bits: 4, group: .size(128)))
    #expect(nearest(.init(bits: 4, group: .size(16)), .vllm) == .init(bits: 4, group: .size(32)))
    #expect(nearest(.init(bits: 4, group: .size(16)), .vllmCPU) == nil)
    #expect(nearest(.init(bits: 3), .vllmCPU) == .init(bits: 4))
    #expect(nearest(.init(bits: 6), .vllmCPU) == .init(bits: 8, group: .channel))
    #expect(nearest(.init(bits: 8), .vllmCPU) == .init(bits: 8, group: .channel))
    #expect(nearest(.init(bits: 4), .vllmCPU, rows: 48) == .init(bits: 8, group: .channel))
    #expect(
      nearest(.init(bits: 5, isSymmetric: false, method: .hqq), .vllm, rows: 48) == .init(bits: 5))
  }

  @Test func embeddingsAreLookedUpByFewKernels() {
    let name = "model.embed_tokens"
    #expect(nearest(.init(bits: 3, isSymmetric: false), .vllm, of: name) == .init(bits: 4))
    #expect(nearest(.init(bits: 5), .vllm, of: name) == .init(bits: 8))
    #expect(nearest(.init(bits: 4), .vllmCPU, of: name) == .some(nil))
    #expect(nearest(.init(bits: 8), .transformers, of: name) == .some(nil))
  }

  @Test(arguments: targets)
  func everythingElseHasANearestThatFits(target: ExportTarget) {
    var random = SeededRandom(seed: 5)
    var refused = 0
    for _ in 0..<800 {
      let shape = LayerShape(
        name: ["a.q_proj", "model.embed_tokens"][Int.random(in: 0...1, using: &random)],
        rows: 8 * Int.random(in: 1...9, using: &random),
        columns: 16 * Int.random(in: 1...40, using: &random), type: .float16)
      let scheme = Scheme.random(for: shape, using: &random, blocksOnly: false)
      guard let flaw = CompressedTensorsLimits.flaw(of: scheme, for: shape, target: target) else {
        continue
      }
      refused += 1
      guard let nearest = flaw.nearest else {
        Issue.record("\(target): nothing is near \(scheme.summary)")
        continue
      }
      #expect(throws: Never.self) { try nearest.validated(for: shape) }
      #expect(
        CompressedTensorsLimits.flaw(of: nearest, for: shape, target: target)?.reason == nil)
      #expect(nearest.sparsity == scheme.sparsity)
    }
    #expect(refused > 100)
  }

  @Test func vLLMTakesFusedLayersAlikeOnly() throws {
    let checkpoint = try Checkpoint.open(Repository.path("Samples/scripture"))
    let shapes = checkpoint.description.layerShapes
    let coarse = Scheme(quantization: .init(bits: 4, group: .size(64)))
    let fine = Scheme(quantization: .init(bits: 6, group: .size(64), range: .mse))
    var schemes = shapes.map { $0.name.hasSuffix("embed_tokens") ? .keep : coarse }
    func number(_ name: String) throws -> Int {
      try #require(shapes.firstIndex { $0.name == "model.layers.\(name)" })
    }
    schemes[try number("2.self_attn.k_proj")] = fine
    schemes[try number("3.mlp.up_proj")] = .keep
    schemes[try number("4.mlp.down_proj")] = fine
    // The same codes found in another way are alike.
    schemes[try number("1.mlp.gate_proj")] = Scheme(
      quantization: .init(bits: 4, group: .size(64), range: .mse))
    let model = ExportModel(checkpoint: checkpoint, schemes: schemes)
    #expect(throws: Never.self) {
      try CompressedTensorsEncoding(model: model, target: .transformers)
    }
    let error = #expect(throws: ExportError.self) {
      try CompressedTensorsEncoding(model: model, target: .vllm)
    }
    guard case .refused(.vllm, let refusals) = error else {
      Issue.record("refused by layer")
      return
    }
    #expect(
      refusals.map(\.layer) == [
        "model.layers.2.self_attn.q_proj", "model.layers.2.self_attn.v_proj",
        "model.layers.3.mlp.gate_proj",
      ])
    #expect(refusals[0].nearest == Scheme(quantization: .init(bits: 6, group: .size(64))))
    #expect(refusals[2].nearest == .keep)
    for refusal in refusals {
      let number = try #require(shapes.firstIndex { $0.name == refusal.layer })
      schemes[number] = try #require(refusal.nearest)
    }
    #expect(
      CompressedTensorsLimits.refusals(of: schemes, for: shapes, target: .vllm).isEmpty)
  }
}
