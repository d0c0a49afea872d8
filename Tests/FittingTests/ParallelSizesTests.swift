import Checkpoints
import Compression
import Tensors
import Testing

@testable import Fitting

/// Over how many GPUs a model is spread, against sizes worked out by hand.
@Suite struct ParallelSizesTests {
  /// 32 blocks of 8 heads with keys and values of 128 values; a GPU has 80 GB, one of them its own.
  private func fit(weights: Int, context: Int = 8192) -> Fit {
    let blocks = (0..<32).map { _ in
      BlockCacheFacts(keyHeads: 8, valuesAHead: 256, queryWidth: 4096)
    }
    let machine = Machine(
      id: "gpu", name: "GPU", kind: .gpu, memory: 80_000_000_000, reserved: 1_000_000_000,
      bandwidth: 1e12, arithmetic: 1e14, reached: .init(bandwidth: 0.5, arithmetic: 0.5),
      watts: nil,
      price: nil)
    let model = ServedModel(.served(blocks, weights: weights), schemes: [.keep], forecast: nil)
    return Fit(of: model, on: machine, for: FitRequest(context: context), in: .vllm)
  }

  @Test(arguments: [
    (40, [1, 2, 4, 8], 4, ParallelSizes(tensor: 1, pipeline: 1)),
    (140, [1, 2, 4, 8], 4, ParallelSizes(tensor: 2, pipeline: 1)),
    // Seven would do, if rows could be split so.
    (500, [1, 2, 4, 8], 4, ParallelSizes(tensor: 8, pipeline: 1)),
    // More than a node has: twice as many on two nodes.
    (1000, [1, 2, 4, 8], 2, ParallelSizes(tensor: 8, pipeline: 2)),
    // Heads that cannot be split leave nodes only.
    (200, [1], 4, ParallelSizes(tensor: 1, pipeline: 3)),
  ])
  func theFewestAreTaken(_ gigabytes: Int, _ splits: [Int], _ nodes: Int, _ wanted: ParallelSizes) {
    let found = ParallelSizes(
      holding: fit(weights: gigabytes * 1_000_000_000), splits: splits, nodes: nodes, blocks: 32)
    #expect(found == wanted)
  }

  @Test func whatFitsNowhereIsNil() {
    let fit = fit(weights: 2_000_000_000_000)
    #expect(ParallelSizes(holding: fit, splits: [1, 2, 4, 8], nodes: 2, blocks: 32) == nil)
    // A node needs a block.
    #expect(ParallelSizes(holding: fit, splits: [1], nodes: 64, blocks: 2) == nil)
  }

  @Test func argumentsNameRayOnlyOverNodes() {
    let one = ParallelSizes(tensor: 4, pipeline: 1).arguments
    #expect(one == ["--tensor-parallel-size", "4", "--pipeline-parallel-size", "1"])
    #expect(ParallelSizes(tensor: 1, pipeline: 2).arguments.suffix(1) == ["ray"])
  }

  @Test func groupsStayWhole() {
    let layer = LayerDescription(
      name: "model.layers.0.mlp.down_proj", role: .down, block: 0, rows: 64, columns: 768,
      type: .float16, bytes: 98_304)
    let model = ModelDescription(
      name: "m", path: "m", format: .huggingFace, architecture: "any", blueprint: nil,
      parameterCount: 49_152, tensorBytes: 98_304, fingerprint: "", layers: [layer])
    func sizes(_ group: GroupSize) -> [Int] {
      let scheme = Scheme(quantization: QuantizationScheme(bits: 4, group: group))
      return ParallelSizes.sizes(of: model, schemes: [scheme], upTo: 8)
    }
    // 768 columns are six groups of 128, twelve of 64 and twenty-four of 32.
    #expect(sizes(.size(128)) == [1, 2])
    #expect(sizes(.size(64)) == [1, 2, 4])
    #expect(sizes(.size(32)) == [1, 2, 4, 8])
    #expect(sizes(.channel) == [1, 2, 4, 8])
  }
}
