import Inference
import Tensors
import Testing

/// An answer is a state machine that reads its prompt, chooses tokens and ends.
struct GenerationTests {
  static let prompt = [5, 9, 31, 2, 70]

  private func answer(
    _ decoder: Decoder, prompt: [Int] = prompt, sampler: Sampler = Sampler(), limit: Int = 10,
    endTokens: Set<Int> = [], chunk: Int = 16
  ) throws -> (steps: [Generation.Step], tokens: [Int]) {
    var generation = try Generation(
      decoder: decoder, prompt: prompt, sampler: sampler, tokenLimit: limit, endTokens: endTokens,
      chunk: chunk)
    var steps: [Generation.Step] = []
    while true {
      let step = try generation.step(using: decoder)
      steps.append(step)
      if case .ended = step { return (steps, generation.tokens) }
    }
  }

  @Test func greedyTokensAreTheBestByTheBook() throws {
    let model = TinyModel()
    let (steps, tokens) = try answer(model.decoder(), limit: 6)
    let plain = PlainDecoder(model)
    var expected = Self.prompt
    for _ in 0..<6 {
      let logits = try #require(plain.logits(expected).last)
      expected.append(logits.indices.max { logits[$0] < logits[$1] } ?? 0)
    }
    #expect(tokens == Array(expected.dropFirst(Self.prompt.count)))
    #expect(steps == tokens.map { .token($0) } + [.ended(.tokenLimit)])
  }

  @Test func promptsAreReadInChunks() throws {
    let decoder = try TinyModel().decoder()
    let (steps, tokens) = try answer(decoder, limit: 1, chunk: 2)
    #expect(
      steps == [.prompt(read: 2), .prompt(read: 4), .token(tokens[0]), .ended(.tokenLimit)])
    #expect(try answer(decoder, limit: 4, chunk: 2).tokens == answer(decoder, limit: 4).tokens)
  }

  @Test func anEndTokenEndsAndIsNoPartOfTheAnswer() throws {
    let decoder = try TinyModel().decoder()
    let tokens = try answer(decoder, limit: 5).tokens
    let end = try #require(tokens.last { tokens.firstIndex(of: $0) ?? 0 > 0 })
    let first = try #require(tokens.firstIndex(of: end))
    let shortened = try answer(decoder, limit: 5, endTokens: [end])
    #expect(shortened.tokens == Array(tokens[..<first]))
    #expect(shortened.steps.last == .ended(.endToken))
  }

  @Test func theContextsEndEndsTheAnswer() throws {
    let decoder = try TinyModel(contextLength: 8).decoder()
    let (steps, tokens) = try answer(decoder, limit: 100)
    // Three more positions fit, and what they predict is a token, too.
    #expect(tokens.count == 4)
    #expect(steps.last == .ended(.contextLimit))
  }

  @Test func promptsThatCannotBeReadAreRefused() throws {
    let decoder = try TinyModel(contextLength: 8).decoder()
    #expect(throws: InferenceError.emptyInput) { try answer(decoder, prompt: []) }
    #expect(throws: InferenceError.contextExceeded(tokens: 9, limit: 8)) {
      try answer(decoder, prompt: Array(0..<9))
    }
    #expect(try answer(decoder, limit: 0).steps == [.ended(.tokenLimit)])
  }

  @Test func sampledAnswersRepeatAndTwinsAgree() throws {
    let model = TinyModel()
    let sampler = Sampler(temperature: 1.2, topK: 40, topP: 0.95, seed: 11)
    let first = try answer(model.decoder(), sampler: sampler)
    let twin = try answer(model.decoder(on: WorkerPool(threads: 1)), sampler: sampler)
    #expect(first.tokens == twin.tokens)
    #expect(first.tokens.count == 10)
  }

  @Test func aLayerSwappedBetweenTokensChangesTheNextLogits() throws {
    let reference = try TinyModel().decoder()
    var changed = reference
    let other = try #require(TinyModel(seed: 9).layers["model.layers.0.mlp.down_proj"])
    try changed.setLayer("model.layers.0.mlp.down_proj", other)
    func logits(swapping: Bool) throws -> [Logits] {
      var generation = try Generation(
        decoder: reference, prompt: Self.prompt, sampler: Sampler(), tokenLimit: 2, endTokens: [])
      _ = try generation.step(using: reference)
      let first = try #require(generation.logits)
      _ = try generation.step(using: swapping ? changed : reference)
      return [first, try #require(generation.logits)]
    }
    let (kept, swapped) = (try logits(swapping: false), try logits(swapping: true))
    #expect(kept[0].values == swapped[0].values)
    #expect(relativeError(swapped[1].values, kept[1].values) > 1e-3)
  }
}
