import Checkpoints
import Compression
import Engine
import Inference
import Tensors
import Testing

/// Choosing what structured pruning takes.
@Suite struct StructureJobTests {
  private let model: TinyModel
  private let driver: Driver
  private let text: String
  private let words = String(repeating: "In the beginning was the word.\nAnd so on. ", count: 20)
  private let job = JobID(5)

  init() throws {
    model = try TinyModel()
    driver = Driver(model)
    text = try model.write(words, to: "text.txt")
  }

  private func request(
    _ structure: ModelStructure = ModelStructure(), blocks: Int? = nil
  ) -> StructureRequest {
    StructureRequest(
      textPath: text, structure: structure, blockCount: blocks, window: 64, blockTokens: 256,
      gradientTokens: 128)
  }

  private func chosen(_ request: StructureRequest) -> ChosenStructure? {
    driver.send(.chooseStructure(job, request))
    driver.run()
    return driver.events.compactMap { event in
      if case .structureChosen(job, let chosen) = event { chosen } else { nil }
    }.last
  }

  @Test func blocksGoByTheirMeasuredDivergence() throws {
    let found = try #require(chosen(request(blocks: 1)))
    #expect(driver.events.endings == [JobEnding(id: job, outcome: .finished)])
    let decoder = try Decoder(checkpoint: Checkpoint.open(model.path), pool: WorkerPool(threads: 1))
    let divergences = try (0..<TinyModel.blocks).map { block in
      var evaluation = try Evaluation(
        tokens: words.utf8.map(Int.init), settings: .init(window: 64, windowLimit: 4),
        reference: decoder, compares: true)
      let shorter = decoder.leavingOut(blocks: [block])
      try evaluation.run(reference: decoder, compressed: shorter)
      return try #require(evaluation.result?.divergence).mean.value
    }
    let least = divergences[0] < divergences[1] ? 0 : 1
    #expect(found.structure == ModelStructure(removedBlocks: [least]))
    #expect(found.losses == [BlockLoss(block: least, divergence: divergences[least])])
  }

  /// Neurons are chosen by gradients of the model without the blocks that go.
  @Test func neuronsGoByGradientsOfWhatIsLeft() throws {
    let found = try #require(chosen(request(ModelStructure(neurons: 32), blocks: 1)))
    let decoder = try Decoder(checkpoint: Checkpoint.open(model.path), pool: WorkerPool(threads: 1))
    let tokens = words.utf8.map(Int.init)
    var pass = try FisherPass(
      windows: [Array(tokens[..<64]), Array(tokens[64..<128])],
      decoder: decoder.leavingOut(blocks: Set(found.structure.removedBlocks)), seed: 1)
    try pass.run()
    let expected = try ModelStructure(removedBlocks: found.structure.removedBlocks, neurons: 32)
      .choosing(by: pass.result, in: decoder)
    #expect(expected.cuts.count == 1 && expected.removedBlocks.count == 1)
    #expect(found.structure == expected)
    // It can be carried out as it is, and asked for again from there.
    driver.send(.setPlan(Plan(structure: found.structure)))
    #expect(chosen(request(found.structure))?.structure == expected)
    #expect(chosen(request(ModelStructure(neurons: 64)))?.structure == ModelStructure())
  }

  @Test func saysHowFarItIs() throws {
    var request = request(ModelStructure(neurons: 32), blocks: 1)
    (request.blockTokens, request.gradientTokens) = (800, 800)
    driver.send(.chooseStructure(job, request))
    #expect(driver.run() > 10)
    let progress = driver.events.compactMap { event in
      if case .jobProgress(job, let progress) = event { progress } else { nil }
    }
    let shares = progress.map(\.completed)
    #expect(shares.count > 2 && shares == shares.sorted())
    #expect(progress.allSatisfy { $0.completed <= $0.total })
    #expect(progress.last?.secondsLeft != nil)
  }

  @Test func cancelledItSaysNothing() {
    driver.send(.chooseStructure(job, request(ModelStructure(neurons: 32), blocks: 1)))
    for _ in 0..<5 { driver.step() }
    driver.send(.cancel(job))
    #expect(driver.step() == nil)
    #expect(driver.events.endings == [JobEnding(id: job, outcome: .cancelled)])
    #expect(!driver.events.contains { if case .structureChosen = $0 { true } else { false } })
  }

  @Test func whatCannotBeIsRefusedAtOnce() {
    let wrong: [(StructureRequest, String)] = [
      (request(blocks: 2), "2 of 2 blocks"),
      (request(blocks: -1), "-1 of 2 blocks"),
      (request(ModelStructure(neurons: 48)), "multiple of 32"),
      (request(ModelStructure(neurons: 96)), "more than the 64"),
      (request(ModelStructure(keyValueHeads: 2)), "more than the model's 1"),
    ]
    for (request, reason) in wrong {
      let endings = driver.send(.chooseStructure(job, request)).endings
      guard case .failed(let sentence) = endings.last?.outcome else {
        Issue.record("not refused: \(request)")
        continue
      }
      #expect(sentence.contains(reason))
    }
  }
}
