import Checkpoints
import Compression
import Engine
import Foundation
import Inference
import Tensors
import Testing

@Suite struct AnswerTests {
  private let model: TinyModel
  private let driver: Driver
  private let job = JobID(3)
  private let coarse = Plan(rules: [
    PlanRule(layers: ["*"], change: SchemeChange(bits: 2, group: .size(32)))
  ])

  init() throws {
    model = try TinyModel()
    driver = Driver(model)
  }

  private func request(
    _ sides: [ModelSide], tokens: Int = 12, prompt: String = "Tell me"
  ) -> GenerationRequest {
    GenerationRequest(prompt: prompt, isRaw: true, sides: sides, tokenLimit: tokens)
  }

  /// The reference of this model, and the same under ``coarse``, made without the engine.
  private func decoders() throws -> (reference: Decoder, coarse: Decoder) {
    let checkpoint = try Checkpoint.open(model.path)
    let reference = try Decoder(checkpoint: checkpoint, pool: WorkerPool(threads: 1))
    var coarse = reference
    for shape in checkpoint.description.layerShapes {
      var compressor = try LayerCompressor(
        matrix: checkpoint.matrix(of: shape.name), shape: shape,
        scheme: Scheme(quantization: QuantizationScheme(bits: 2, group: .size(32))))
      while !compressor.isFinished { try compressor.step(rows: 1000) }
      let layer = try #require(compressor.finish(original: 0)).layer
      guard case .packed(let packed) = layer.weights else { continue }
      try coarse.setLayer(shape.name, .packed(packed))
    }
    return (reference, coarse)
  }

  /// The tokens that follow the prompt when token i is chosen by `decoder(i)`.
  private func expected(_ count: Int, _ decoder: (Int) -> Decoder) throws -> [Int] {
    var generation = try Generation(
      decoder: decoder(0), prompt: Array("Tell me".utf8).map(Int.init), sampler: Sampler(),
      tokenLimit: count, endTokens: [256])
    while true {
      if case .ended = try generation.step(using: decoder(generation.tokens.count)) { break }
    }
    return generation.tokens
  }

  /// A tokenizer with more tokens than embeddings is no harm until a text becomes such a token.
  @Test func tokensBeyondTheVocabularyAreRefusedOnceTheyAreUsed() throws {
    let far =
      "\"added_tokens\": [{\"id\": 400, \"content\": \"<|far|>\", \"special\": true}, "
    let path = "\(model.path)/tokenizer.json"
    let text = try String(contentsOfFile: path, encoding: .utf8)
    #expect(text.contains("\"added_tokens\": ["))
    _ = try model.write(
      text.replacing("\"added_tokens\": [", with: far), to: "tokenizer.json")
    driver.send(.generate(job, request([.reference])))
    driver.run()
    let remarks = driver.events.compactMap {
      if case .remarked(_, let sentence) = $0 { sentence } else { nil }
    }
    #expect(
      remarks == [
        "the tokenizer has token 400 (<|far|>), but the model's vocabulary ends at 257: texts that become such tokens "
          + "are refused"
      ])
    #expect(driver.events.endings.last?.outcome == .finished)
    driver.send(.generate(JobID(4), request([.reference], prompt: "<|far|>")))
    driver.run()
    #expect(
      driver.events.endings.last?.outcome
        == .failed("token 400 is outside the vocabulary of 258 tokens"))
  }

  @Test func answersAreThoseOfTheModels() throws {
    driver.send(.setPlan(coarse))
    driver.run()
    driver.send(.generate(job, request([.reference, .compressed])))
    driver.run()
    let (reference, coarse) = try decoders()
    #expect(driver.events.tokens(.reference).map(\.id) == (try expected(12) { _ in reference }))
    #expect(driver.events.tokens(.compressed).map(\.id) == (try expected(12) { _ in coarse }))
    #expect(driver.events.endings.last == JobEnding(id: job, outcome: .finished))
  }

  /// What is wrong with a template ends the answer in a sentence; a raw prompt needs none.
  @Test(arguments: [
    ("{{ raise_exception('no') }}", "the chat template, line 1: no"),
    ("{% if %}", "the chat template, line 1: expected an expression, found %}"),
  ])
  func aTemplateThatRefusesIsASentence(_ template: String, reason: String) throws {
    _ = try model.write("{\"chat_template\": \"\(template)\"}", to: "tokenizer_config.json")
    driver.send(.open(path: model.path))
    var request = request([.reference])
    request.isRaw = false
    driver.send(.generate(job, request))
    driver.run()
    let hint = "; send the prompt without it: --raw, or :set raw on"
    #expect(
      driver.events.endings.last == JobEnding(id: job, outcome: .failed(reason + hint)))
    #expect(driver.events.tokens(.reference).isEmpty)
    request.isRaw = true
    driver.send(.generate(job, request))
    driver.run()
    #expect(driver.events.tokens(.reference).count == 12)
    #expect(!driver.events.contains(.promptSentRaw(job)))
  }

  @Test func sidesTakeTurns() {
    driver.send(.generate(job, request([.reference, .compressed])))
    driver.run()
    let sides = driver.events.compactMap { event in
      if case .token(_, let token) = event { token.side } else { nil }
    }
    #expect(sides.count == 24)
    for pair in stride(from: 0, to: 24, by: 2) {
      #expect(Set(sides[pair...pair + 1]) == [.reference, .compressed])
    }
  }

  @Test func divergenceIsToldWhileBothSidesSayTheSame() throws {
    driver.send(.generate(job, request([.reference, .compressed])))
    driver.run()
    #expect(driver.events.tokens(.reference).allSatisfy { $0.divergence == nil })
    #expect(driver.events.tokens(.compressed).allSatisfy { $0.divergence == 0 })

    let driver = Driver(model)
    driver.send(.setPlan(coarse))
    driver.run()
    driver.send(.generate(job, request([.reference, .compressed])))
    driver.run()
    let (reference, compressed) = (
      driver.events.tokens(.reference), driver.events.tokens(.compressed)
    )
    let parting = zip(reference, compressed).prefix { $0.id == $1.id }.count
    #expect(parting < compressed.count)
    #expect(compressed[...parting].allSatisfy { ($0.divergence ?? 0) > 0 })
    #expect(compressed[(parting + 1)...].allSatisfy { $0.divergence == nil })
  }

  @Test func tokensAreNumberedAndTheirTextsAddUp() throws {
    driver.send(.generate(job, request([.reference], tokens: 40)))
    driver.run()
    let tokens = driver.events.tokens(.reference)
    #expect(tokens.map(\.index) == Array(tokens.indices))
    let bytes = tokens.compactMap(\.id).map { UInt8(truncatingIfNeeded: $0) }
    #expect(tokens.allSatisfy { ($0.id ?? 256) < 256 })
    #expect(tokens.map(\.text).joined() == String(decoding: bytes, as: UTF8.self))
    #expect(tokens.first?.tokensPerSecond == 0)
    #expect(tokens.dropFirst().allSatisfy { $0.tokensPerSecond > 0 })
  }

  @Test func referenceAnswersWhileTheCompressedSideWaits() throws {
    driver.send(.setPlan(coarse))
    driver.send(.generate(job, request([.reference, .compressed], tokens: 4)))
    driver.run()
    let events = driver.events
    let ready = try #require(
      events.firstIndex(of: .compressed(layers: TinyModel.layers, of: TinyModel.layers)))
    #expect(events[..<ready].tokens(.compressed).isEmpty)
    #expect(!events[..<ready].tokens(.reference).isEmpty)
    #expect(events.tokens(.compressed).count == 4)
  }

  @Test func whatAnEarlierPromptBeganWithIsNotReadAgain() throws {
    let long = String(repeating: "a long story ", count: 9)
    driver.send(.generate(job, request([.reference, .compressed], prompt: long)))
    driver.run()
    let first = driver.events.tokens(.reference)
    #expect(first.allSatisfy { $0.reusedTokens == 0 })
    // The same again, then another end, then after a change of the plan.
    var counts: [[Int?]] = []
    for (plan, prompt) in [(Plan(), long), (Plan(), long + "!"), (coarse, long + "!?")] {
      driver.send(.setPlan(plan))
      let before = driver.events.count
      driver.send(.generate(job, request([.reference, .compressed], prompt: prompt)))
      driver.run()
      let events = driver.events[before...]
      counts.append(ModelSide.allCases.map { events.tokens(AnswerSide($0)).first?.reusedTokens })
      if prompt == long { #expect(events.tokens(.reference).map(\.id) == first.map(\.id)) }
    }
    let length = long.utf8.count
    #expect(counts[0] == [length - 1, length - 1])
    #expect(counts[1] == [length, length])
    #expect(counts[2] == [length + 1, 0])
  }

  @Test func theShareOfInputsThatIsLeftOutIsTold() throws {
    _ = try model.write(String(repeating: "a long story ", count: 60), to: "calibration.txt")
    var request = request(ModelSide.allCases, prompt: String(repeating: "a story ", count: 8))
    request.inputSparsity = 0.5
    driver.send(.generate(job, request))
    driver.run()
    let events = driver.events
    #expect(events.tokens(.reference).allSatisfy { $0.inputSparsity == nil })
    let compressed = events.tokens(.compressed)
    #expect(!compressed.isEmpty)
    #expect(compressed.allSatisfy { abs(($0.inputSparsity ?? 0) - 0.5) < 0.15 })
    // The reference reads all, so that the figure beside the answer is what leaving out costs.
    #expect(compressed.contains { ($0.divergence ?? 0) > 0 })
    // Without a text there is nothing to find thresholds on.
    try FileManager.default.removeItem(atPath: "\(model.path)/calibration.txt")
    var settings = EngineSettings(threads: 1)
    settings.textFolder = "\(model.path)/nowhere"
    let later = Driver(model, settings)
    later.send(.generate(job, request))
    later.run()
    let reasons = later.events.endings.compactMap { ending in
      if case .failed(let reason) = ending.outcome { reason } else { nil }
    }
    #expect(reasons.contains { $0.contains("calibrate first") }, "\(later.events.endings)")
  }

  @Test func whatKeysAndValuesTakeIsTold() throws {
    for (type, bytes) in [(CacheType.f32, 4), (.f16, 2)] {
      let before = driver.events.count
      var request = request([.reference])
      request.cacheType = type
      driver.send(.generate(job, request))
      driver.run()
      let blocks = try #require(try Checkpoint.open(model.path).description.blueprint).blocks
      let values = blocks.reduce(0) { sum, block in
        sum + (block.attention.map { 2 * $0.keyValueHeadCount * $0.headSize } ?? 0)
      }
      // The token that was chosen last is not read yet.
      for token in driver.events[before...].tokens(.reference) {
        #expect(token.cacheBytes == (token.promptTokens + token.index) * values * bytes)
      }
    }
  }

  @Test func changedLayersTakeEffectBetweenTwoTokens() throws {
    // Compressed once, the plan's layers are at hand, so the change takes effect at once.
    driver.send(.setPlan(coarse))
    driver.run()
    driver.send(.setPlan(Plan()))
    driver.send(.generate(job, request([.compressed], tokens: 16)))
    driver.run { if case .token(_, let token) = $0 { token.index == 5 } else { false } }
    driver.send(.setPlan(coarse))
    driver.run()
    let (reference, coarse) = try decoders()
    let tokens = driver.events.tokens(.compressed).map(\.id)
    #expect(tokens == (try expected(16) { $0 <= 5 ? reference : coarse }))
    #expect(tokens != (try expected(16) { _ in reference }))
  }

  @Test func layersCompressedDuringAnAnswerJoinIt() {
    driver.send(.generate(job, request([.compressed], tokens: 60)))
    driver.run { if case .token(_, let token) = $0 { token.index == 1 } else { false } }
    driver.send(.setPlan(coarse))
    driver.run()
    let events = driver.events
    let ready = events.firstIndex(of: .compressed(layers: TinyModel.layers, of: TinyModel.layers))
    let last = events.lastIndex { if case .token = $0 { true } else { false } }
    #expect((ready ?? .max) < (last ?? 0))
    #expect(events.tokens(.compressed).count == 60)
  }

  @Test func cancelEndsTheAnswerAtOnce() {
    driver.send(.generate(job, request([.reference, .compressed])))
    driver.run { if case .token(_, let token) = $0 { token.index == 3 } else { false } }
    let count = driver.events.count
    driver.send(.cancel(job))
    #expect(Array(driver.events[count...]) == [.jobEnded(job, .cancelled)])
    #expect(driver.step() == nil)
  }

  @Test func cancelledCompressionEndsWhoWaitsForIt() {
    driver.send(.setPlan(coarse))
    driver.send(.generate(job, request([.compressed])))
    driver.step()
    driver.send(.cancel(.compression))
    driver.run()
    guard case .failed(let reason) = driver.events.endings.last?.outcome else {
      Issue.record("the answer still waits: \(driver.events.endings)")
      return
    }
    #expect(reason.contains("compress"))
  }

  @Test func contextLimitEndsTheAnswer() {
    driver.send(.generate(job, request([.reference], tokens: .max)))
    driver.run()
    #expect(driver.events.contains(.answerEnded(job, .reference, .contextLimit)))
    #expect(driver.events.endings == [JobEnding(id: job, outcome: .finished)])
  }

  @Test(arguments: ["", String(repeating: "long ", count: 100)])
  func impossiblePromptFails(prompt: String) {
    driver.send(.generate(job, request([.reference], prompt: prompt)))
    driver.run()
    guard case .failed = driver.events.endings.last?.outcome else {
      Issue.record("it did not fail: \(driver.events)")
      return
    }
  }
}
