import Checkpoints
import Compression
import Engine
import Inference
import Tensors
import Testing

/// Plans that prune blocks, neurons and heads.
@Suite struct StructureTests {
  private let model: TinyModel
  private let driver: Driver
  private let job = JobID(5)
  private let words = String(repeating: "In the beginning was the word.\nAnd so on. ", count: 20)
  private let structure = ModelStructure(
    removedBlocks: [0], neurons: 32, cuts: [1: .init(neurons: Array(16..<48))])

  init() throws {
    model = try TinyModel()
    driver = Driver(model)
  }

  private func evaluated() throws -> EvaluationSummary {
    let text = try model.write(words, to: "text.txt")
    driver.send(.evaluate(job, EvaluationRequest(textPath: text, window: 64, compares: true)))
    driver.run()
    let results = driver.events.compactMap { event in
      if case .evaluated(job, let result) = event { result } else { nil }
    }
    return try #require(results.last)
  }

  @Test func aPlanWithAStructureRunsThePrunedModel() throws {
    let events = driver.send(.setPlan(Plan(structure: structure)))
    guard case .restructured(let description) = events.first else {
      Issue.record("the pruned model is described first")
      return
    }
    #expect(description.blockCount == 1 && description.prunableSizes.neurons == 32)
    #expect(description.layers.count == 8)

    let whole = try Checkpoint.open(model.path)
    let pool = WorkerPool(threads: 1)
    let reference = try Decoder(checkpoint: whole, pool: pool)
    let pruned = try Decoder(checkpoint: whole.pruned(by: structure), pool: pool)
    var evaluation = try Evaluation(
      tokens: words.utf8.map(Int.init), settings: Evaluation.Settings(window: 64),
      reference: reference, compares: true)
    try evaluation.run(reference: reference, compressed: pruned)
    #expect(try evaluated() == evaluation.result)
  }

  @Test func rulesApplyToThePrunedModelsLayers() throws {
    let rules = [
      PlanRule(
        layers: ["model.layers.0.mlp.down_proj"],
        change: SchemeChange(bits: 3, group: .size(32)))
    ]
    driver.send(.setPlan(Plan(structure: structure)))
    let pruned = try evaluated()
    driver.send(.setPlan(Plan(rules: rules, structure: structure)))
    let compressed = try evaluated()
    #expect(compressed.divergence != pruned.divergence)
    let reports = driver.events.reports
    #expect(Set(reports.map(\.layer)) == ["model.layers.0.mlp.down_proj"])
    // Back to the pruned model, then to the whole one.
    driver.send(.setPlan(Plan(structure: structure)))
    #expect(try evaluated().divergence == pruned.divergence)
    let events = driver.send(.setPlan(Plan()))
    guard case .restructured(let description) = events.first else {
      Issue.record("the whole model is described first")
      return
    }
    #expect(description == (try Checkpoint.open(model.path).description))
    #expect(try evaluated().divergence?.max.value == 0)
  }

  @Test func whatDoesNotFitChangesNothing() throws {
    driver.send(.setPlan(Plan(structure: structure)))
    let expected = try evaluated()
    let wrong = [
      Plan(structure: ModelStructure(removedBlocks: [2])),
      Plan(structure: ModelStructure(neurons: 32)),
      Plan(
        rules: [
          PlanRule(layers: ["*.down_proj"], change: SchemeChange(bits: 4, group: .size(64)))
        ],
        structure: ModelStructure(
          neurons: 32,
          cuts: [
            0: .init(neurons: Array(0..<32)), 1: .init(neurons: Array(0..<32)),
          ])),
    ]
    for plan in wrong {
      let events = driver.send(.setPlan(plan))
      guard events.count == 1, case .planRefused = events.first else {
        Issue.record("only a refusal: \(events)")
        return
      }
    }
    #expect(try evaluated() == expected)
  }
}
