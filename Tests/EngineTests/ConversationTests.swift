import Checkpoints
import Compression
import Engine
import Inference
import Tensors
import Testing

/// Turns, answers that go on, and answers that both models read again.
@Suite struct ConversationTests {
  private let model: TinyModel
  private let driver: Driver
  private let job = JobID(3)

  init() throws {
    model = try TinyModel()
    driver = Driver(model)
  }

  private func request(
    _ prompt: String, tokens: Int = 8, temperature: Double = 0, turns: [ChatTurn] = []
  ) -> GenerationRequest {
    GenerationRequest(
      prompt: prompt, isRaw: true, tokenLimit: tokens,
      sampling: SamplingSettings(temperature: temperature, seed: 5), turns: turns)
  }

  private func answers(_ request: GenerationRequest) -> [AnswerSide: [Int]] {
    let start = driver.events.count
    driver.send(.generate(job, request))
    driver.run()
    var ids: [AnswerSide: [Int]] = [:]
    for side in [AnswerSide.reference, .compressed] {
      ids[side] = driver.events[start...].tokens(side).compactMap(\.id)
    }
    return ids
  }

  /// The tokenizer's ids are bytes, so that what a side reads can be spelled out.
  @Test func eachSideGoesOnFromItsOwnAnswer() throws {
    let turn = ChatTurn(prompt: "One", answers: [.reference: "two", .compressed: "four"])
    let found = answers(request("three", turns: [turn]))
    let decoder = try Decoder(
      checkpoint: try Checkpoint.open(model.path), pool: WorkerPool(threads: 1))
    for (side, text) in [(AnswerSide.reference, "Onetwothree"), (.compressed, "Onefourthree")] {
      var generation = try Generation(
        decoder: decoder, prompt: Array(text.utf8).map(Int.init), sampler: Sampler(),
        tokenLimit: 8, endTokens: [256])
      while case .token = try generation.step(using: decoder) {}
      #expect(found[side] == generation.tokens)
    }
  }

  @Test func anAnswerThatGoesOnIsTheOneThatWasNotStopped() throws {
    let whole = answers(request("Tell me", tokens: 12, temperature: 1))
    var rest = request("Tell me", tokens: 7, temperature: 1)
    rest.beginnings = whole.mapValues { Array($0.prefix(5)) }
    let start = driver.events.count
    #expect(answers(rest) == whole.mapValues { Array($0.dropFirst(5)) })
    #expect(driver.events[start...].tokens(.reference).map(\.index) == Array(5..<12))
  }

  /// After answers of different length the noise is the same: what would be chosen differs by the logits alone.
  @Test func allSidesShareTheirNoise() throws {
    let decoder = try Decoder(
      checkpoint: try Checkpoint.open(model.path), pool: WorkerPool(threads: 1))
    let sampler = Sampler(temperature: 1, seed: 5)
    for (side, text) in [(AnswerSide.reference, "a"), (.compressed, "a longer one")] {
      let turn = ChatTurn(prompt: "One", answers: [side: text])
      let found = answers(request("three", temperature: 1, turns: [turn]))[side]
      var generation = try Generation(
        decoder: decoder, prompt: Array("One\(text)three".utf8).map(Int.init), sampler: sampler,
        tokenLimit: 8, endTokens: [256], noisePosition: 1 << 24)
      var place = 1 << 24
      while case .token(let token) = try generation.step(using: decoder) {
        #expect(token == sampler.token(from: try #require(generation.logits), at: place))
        place += 1
      }
      #expect(found == generation.tokens)
    }
  }

  /// Two ways to the same figure: block by block to the end, and token by token.
  @Test func whatBothModelsReadAgainAgrees() throws {
    driver.send(
      .setPlan(
        Plan(rules: [
          PlanRule(layers: ["*.mlp.*"], change: SchemeChange(bits: 3, group: .size(32)))
        ])))
    driver.run()
    let asked = request("Tell me")
    let answer = try #require(answers(asked)[.reference])
    let reading = ReadingRequest(conversation: asked, side: .reference, answer: answer)
    driver.send(.readTokens(JobID(4), reading))
    driver.send(.partByBlock(JobID(5), reading))
    driver.run()
    let tokens = driver.events.flatMap { event in
      if case .tokensRead(JobID(4), let readings) = event { readings } else { [] as [TokenReading] }
    }
    let blocks = driver.events.compactMap { event in
      if case .blockParted(JobID(5), let parting) = event { parting } else { nil }
    }
    #expect(tokens.map(\.id) == answer && tokens.map(\.index) == Array(answer.indices))
    #expect(tokens.allSatisfy { $0.reference.rank == 1 && $0.reference.alternatives.count == 5 })
    #expect(blocks.dropLast().map(\.place) == [.block(0), .block(1)])
    #expect(blocks.last?.place == .head)
    let mean = tokens.map(\.divergence).reduce(0, +) / Double(tokens.count)
    let last = try #require(blocks.last).divergence
    #expect(mean > 0 && abs(last / mean - 1) < 1e-6)
    #expect(
      blocks.last?.parting
        == tokens.firstIndex { !$0.agrees })
    #expect(driver.events.endings.suffix(2).allSatisfy { $0.outcome == .finished })
  }

  @Test func anAnswerBeyondTheContextIsRefused() throws {
    let long = ReadingRequest(
      conversation: request("Tell me"), side: .reference,
      answer: Array(repeating: 65, count: 100_000))
    driver.send(.partByBlock(job, long))
    driver.run()
    guard case .failed(let reason)? = driver.events.endings.last?.outcome else {
      Issue.record("it is not refused")
      return
    }
    #expect(reason.contains("exceed the model's context"))
  }
}
