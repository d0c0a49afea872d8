import Checkpoints
import Compression
import Foundation
import Inference
import Tensors
import TestSupport
import Testing

/// Structured pruning against sliced weights in PyTorch, and its choices against trying them all.
struct PruningTests {
  private static let pool = WorkerPool(threads: 2)

  @Test func prunedCheckpointsComputeAsSlicedWeights() throws {
    let record = try PrunedRecord.load()
    let structure = try #require(try Plan(yaml: record.plan).structure)
    let whole = try RealModel.checkpoint("Samples/scripture")
    let pruned = try whole.pruned(by: structure)
    let model = pruned.description
    #expect(model.blockCount == 5 && model.innerSize == 512)
    #expect(model.attention?.headCount == 4 && model.attention?.keyValueHeadCount == 2)
    #expect(model.parameterCount == record.parameters)
    #expect(model.tensorBytes == 2 * record.parameters)
    #expect(model.fingerprint != whole.description.fingerprint)
    #expect(model.layers.count == 36 && model.layers.last?.name == "model.layers.4.mlp.down_proj")

    let decoder = try Decoder(checkpoint: pruned, pool: Self.pool)
    var cache = decoder.makeCache()
    let found = try decoder.forward(tokens: record.ids, cache: &cache, wants: .all)
    let count = record.vocabularyIDs.count
    for row in record.ids.indices {
      let logits = Logits(Array(found.row(row)))
      let expected = Array(record.values[row * count..<(row + 1) * count])
      #expect(relativeError(record.vocabularyIDs.map { logits.values[$0] }, expected) < 1e-4)
      #expect(abs(logits.logSumExp - Double(record.logSumExp[row])) < 1e-3)
    }
  }

  @Test func aStructureThatTakesNothingLeavesTheModelAsItIs() throws {
    let whole = try RealModel.checkpoint("Samples/scripture")
    let pruned = try whole.pruned(by: ModelStructure(neurons: 768, keyValueHeads: 4))
    #expect(pruned.description.layers == whole.description.layers)
    #expect(pruned.description.tensorBytes == whole.description.tensorBytes)
    #expect(pruned.description.parameterCount == whole.description.parameterCount)
  }

  /// What goes is what the layer's Fisher estimate says costs least, zeroed alone.
  @Test func theCheapestNeuronsAndHeadsGo() throws {
    let model = TinyModel()
    let decoder = try model.decoder()
    var pass = try FisherPass(windows: [DecoderTests.tokens], decoder: decoder, seed: 5)
    try pass.run()
    let fishers = pass.result
    let structure = try ModelStructure(removedBlocks: [0], neurons: 64, keyValueHeads: 1)
      .choosing(by: fishers, in: decoder)
    #expect(structure.cuts.keys.sorted() == [1])
    let cut = try #require(structure.cuts[1])

    func costs(_ name: String, _ groups: [Range<Int>]) throws -> [Double] {
      let before = try #require(decoder.weights(of: name)).decoded()
      return try groups.map { columns in
        var after = before
        for row in 0..<after.rows { for column in columns { after[row, column] = 0 } }
        return try #require(fishers[name]).divergence(before: before, after: after)
      }
    }
    let neurons = try costs("model.layers.1.mlp.down_proj", (0..<96).map { $0..<$0 + 1 })
    let order = neurons.indices.sorted { neurons[$0] < neurons[$1] }
    #expect(cut.neurons == order.prefix(32).sorted())
    let heads = try costs("model.layers.1.self_attn.o_proj", [0..<32, 32..<64])
    #expect(cut.keyValueHeads == [heads[0] < heads[1] ? 0 : 1])
  }

  @Test func blocksGoOneAfterTheOtherByMeasuredDivergence() throws {
    let decoder = try RealModel.decoder("Samples/scripture", on: Self.pool)
    let ids = try PrunedRecord.load().ids
    let settings = Evaluation.Settings(window: 16, chunk: 16)
    let record = PaceRecord()
    let choices = try BlockRemoval(
      count: 2, tokens: ids, settings: settings, decoder: decoder
    ).choices(pace: record.pace)
    #expect(record.isComplete)

    func divergence(without blocks: Set<Int>) throws -> Double {
      var evaluation = try Evaluation(
        tokens: ids, settings: settings, reference: decoder, compares: true)
      let shorter = decoder.leavingOut(blocks: blocks)
      try evaluation.run(reference: decoder, compressed: shorter)
      return try #require(evaluation.result?.divergence).mean.value
    }
    var removed: Set<Int> = []
    for choice in choices {
      let others = try (0..<6).filter { !removed.contains($0) }
        .map { ($0, try divergence(without: removed.union([$0]))) }
      let best = try #require(others.min { $0.1 < $1.1 })
      #expect(choice.block == best.0 && choice.divergence == best.1)
      removed.insert(choice.block)
    }
    #expect(removed.count == 2)
  }

  /// A pruned model is compared with the whole one, whose cache has another shape.
  @Test func prunedModelsAreEvaluatedAgainstTheWhole() throws {
    let record = try PrunedRecord.load()
    let structure = try #require(try Plan(yaml: record.plan).structure)
    let checkpoint = try RealModel.checkpoint("Samples/scripture")
    let whole = try Decoder(checkpoint: checkpoint, pool: Self.pool)
    let pruned = try Decoder(checkpoint: checkpoint.pruned(by: structure), pool: Self.pool)
    var evaluation = try Evaluation(
      tokens: record.ids, settings: .init(window: 16), reference: whole, compares: true)
    try evaluation.run(reference: whole, compressed: pruned)
    let result = try #require(evaluation.result)
    #expect(result.windows == 2)
    #expect(try #require(result.divergence).mean.value > 0.01)
  }

  @Test func whatCannotBePrunedIsRefused() throws {
    let checkpoint = try RealModel.checkpoint("Samples/scripture")
    let wrong: [(ModelStructure, String)] = [
      (ModelStructure(removedBlocks: [6]), "no block 6"),
      (ModelStructure(removedBlocks: Array(0..<6)), "no block would be left"),
      (ModelStructure(neurons: 800), "more than the 768"),
      (ModelStructure(keyValueHeads: 5), "more than the model's 4"),
      (ModelStructure(neurons: 736), "which neurons block 0 loses"),
      (ModelStructure(cuts: [0: .init(keyValueHeads: [1])]), "would keep 3 of its kv_heads"),
      (ModelStructure(neurons: 767), "a multiple of 32"),
      (ModelStructure(neurons: 736, cuts: [0: .init(neurons: [768])]), "has no 768"),
      (ModelStructure(removedBlocks: [1], cuts: [1: .init(neurons: [7])]), "does not stay"),
    ]
    for (structure, reason) in wrong {
      let error = #expect(throws: InferenceError.self) { try checkpoint.pruned(by: structure) }
      #expect(try #require(error).description.contains(reason))
    }
    let decoder = try RealModel.decoder("Samples/scripture", on: Self.pool)
    #expect(throws: InferenceError.missing(name: "model.layers.0.mlp.down_proj")) {
      try ModelStructure(neurons: 512).choosing(by: [:], in: decoder)
    }
    #expect(throws: InferenceError.self) {
      try BlockRemoval(count: 6, tokens: [1, 2, 3, 4], settings: .init(), decoder: decoder)
    }
  }
}

/// What Tests/Oracles/record_pruned.py recorded.
private struct PrunedRecord: Decodable {
  let plan: String
  let parameters: Int
  let ids: [Int]
  let vocabularyIDs: [Int]
  /// Positions x vocabularyIDs logits.
  let values: [Float]
  /// One for each position.
  let logSumExp: [Float]

  private enum CodingKeys: CodingKey {
    case plan, parameters, ids, vocabularyIDs, values, logSumExp
  }

  init(from decoder: any Swift.Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    plan = try container.decode(String.self, forKey: .plan)
    parameters = try container.decode(Int.self, forKey: .parameters)
    ids = try container.decode([Int].self, forKey: .ids)
    vocabularyIDs = try container.decode([Int].self, forKey: .vocabularyIDs)
    values = try container.decode(Data.self, forKey: .values).floats
    logSumExp = try container.decode(Data.self, forKey: .logSumExp).floats
  }

  static func load() throws -> PrunedRecord {
    try JSONDecoder().decode(
      PrunedRecord.self, from: Data(contentsOf: Fixture.url("sample-pruned.json")))
  }
}
