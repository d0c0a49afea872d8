import Checkpoints
import Compression
import Inference
import Tensors
import TestSupport
import Testing

/// Which experts add least, against transformers' outputs and weights, and models without them.
struct ExpertPruningTests {
  private static let families = [
    "gemma4-moe", "granitemoe", "mixtral", "olmoe", "qwen2_moe", "qwen3_moe",
  ]
  private static let pool = WorkerPool(threads: 2)

  private let pool = Self.pool

  @Test(arguments: families)
  func saliencyIsTheMeanOfWeightTimesLength(name: String) throws {
    let family = try Family(name)
    let decoder = try Decoder(checkpoint: .open(family.path), pool: pool)
    let found = try ExpertSaliency(of: family.rows, decoder: decoder)
    var checked = 0
    for layer in decoder.description.layers where layer.role == .expertDown {
      let expected = try #require(family.record("saliency.\(layer.name)"))
      let scores = try #require(layer.block.flatMap { found.scores[$0] })
      #expect(largestError(scores.map { Float($0) }, expected) < 1e-4, "\(layer.name)")
      checked += 1
    }
    #expect(checked == found.scores.count && checked >= 2)
  }

  /// Rows that are not there, and rows that no token is sent to, are the same model.
  @Test(arguments: families)
  func aPrunedModelIsOneWhoseRoutersPassExpertsOver(name: String) throws {
    let family = try Family(name)
    let whole = try Checkpoint.open(family.path)
    let decoder = try Decoder(checkpoint: whole, pool: pool)
    let sizes = whole.description.prunableSizes
    #expect(sizes.experts == 6 && sizes.chosenExperts == 2)
    let saliency = try ExpertSaliency(of: family.rows, decoder: decoder)
    var structure = ModelStructure(experts: 4)
    for block in sizes.mixtures {
      let removed = try structure.removedExperts(ofBlock: block, by: saliency, of: sizes)
      let scores = try #require(saliency.scores[block])
      let kept = scores.indices.filter { !removed.contains($0) }
      #expect(removed.count == 2 && removed == removed.sorted())
      #expect(removed.allSatisfy { one in kept.allSatisfy { scores[one] <= scores[$0] } })
      structure.cuts[block] = ModelStructure.Cut(experts: removed)
    }
    let pruned = try whole.pruned(by: structure)
    #expect(pruned.description.prunableSizes.experts == 4)
    #expect(pruned.description.tensorBytes < whole.description.tensorBytes)
    for (layer, left) in zip(whole.description.layers, pruned.description.layers) {
      #expect(left.rows * layer.count == layer.rows * left.count && left.name == layer.name)
    }
    let smaller = try Decoder(checkpoint: pruned, pool: pool)
    let masked = decoder.leavingOut(experts: structure.cuts.mapValues(\.experts))
    for tokens in family.rows {
      var (one, other, before) = (smaller.makeCache(), masked.makeCache(), decoder.makeCache())
      let found = try smaller.forward(tokens: tokens, cache: &one, wants: .all)
      let expected = try masked.forward(tokens: tokens, cache: &other, wants: .all)
      let reference = try decoder.forward(tokens: tokens, cache: &before, wants: .all)
      #expect(largestError(found.values, expected.values) < 1e-5)
      #expect(largestError(found.values, reference.values) > 1e-3)
    }
  }

  @Test func structuresThatNoMixtureCanHaveAreRefused() throws {
    let whole = try Checkpoint.open(Family("qwen2_moe").path)
    func expect(_ reason: String, _ structure: ModelStructure) {
      let error = #expect(throws: InferenceError.self) { try whole.pruned(by: structure) }
      #expect("\(String(describing: error))".contains(reason), "\(String(describing: error))")
    }
    expect("at least the 2 experts", ModelStructure(experts: 1))
    expect("more than the 6", ModelStructure(experts: 7))
    expect("which experts block 0 loses", ModelStructure(experts: 4))
    // Block 1 is dense.
    expect(
      "block 1 has no experts",
      ModelStructure(
        experts: 5,
        cuts: [
          0: .init(experts: [0]), 1: .init(experts: [0]), 2: .init(experts: [0]),
        ]))
    let plain = try Checkpoint.open(Family("llama").path)
    let error = #expect(throws: InferenceError.self) {
      try plain.pruned(by: ModelStructure(experts: 4))
    }
    #expect("\(String(describing: error))".contains("has no experts"))
  }
}
