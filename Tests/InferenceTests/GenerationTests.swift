import Checkpoints
import Testing

@testable import Inference
@testable import Tensors

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

  /// Reads a prompt and answers in single precision, until so many tokens are there.
  private func reading(
    _ prompt: [Int], _ decoder: Decoder, then other: Decoder? = nil, after count: Int = 4,
    limit: Int = 8
  ) throws -> ReadTokens {
    var generation = try Generation(
      decoder: decoder, prompt: prompt, sampler: Sampler(), tokenLimit: limit, endTokens: [],
      cacheType: .f32, chunk: 3)
    while true {
      let current = generation.tokens.count < count ? decoder : other ?? decoder
      if case .ended = try generation.step(using: current) { return generation.readTokens }
    }
  }

  private func reused(
    _ read: ReadTokens, _ prompt: [Int], _ decoder: Decoder, as type: CacheType = .f32
  ) throws -> (count: Int, tokens: [Int]) {
    var generation = try Generation(
      decoder: decoder, prompt: prompt, sampler: Sampler(), tokenLimit: 5, endTokens: [],
      cacheType: type, continuing: read)
    while true {
      if case .ended = try generation.step(using: decoder) {
        return (generation.reusedCount, generation.tokens)
      }
    }
  }

  @Test func whatAPromptBeginsWithIsReadOnce() throws {
    let decoder = try TinyModel().decoder()
    let read = try reading(Self.prompt, decoder)
    let answered = try answer(decoder, limit: 8).tokens
    let prompts: [(prompt: [Int], shared: Int)] = [
      (Self.prompt, 4), (Self.prompt + answered.prefix(3) + [17, 2], 8),
      (Self.prompt + [answered[0] ^ 1, 4, 4], 5), (Array(Self.prompt.prefix(3)), 2),
      ([5], 0), ([6, 9, 31], 0),
    ]
    for (prompt, shared) in prompts {
      let found = try reused(read, prompt, decoder)
      #expect(found.count == shared)
      #expect(found.tokens == (try answer(decoder, prompt: prompt, limit: 5).tokens))
    }
  }

  @Test func anotherModelReadsThePromptItself() throws {
    let model = TinyModel()
    let decoder = try model.decoder()
    let read = try reading(Self.prompt, decoder)
    var changed = decoder
    let layer = try #require(decoder.description.layers.first { $0.block == 1 })
    try changed.setLayer(layer.name, try #require(decoder.weights(of: layer.name)))
    #expect(try reused(read, Self.prompt, changed).count == 0)
    var fast = decoder
    fast.arithmetic = .fast
    #expect(try reused(read, Self.prompt, fast).count == 0)
    #expect(try reused(read, Self.prompt, decoder.leavingOut(blocks: [1])).count == 0)
    #expect(try reused(read, Self.prompt, decoder, as: .f16).count == 0)
    #expect(try reused(read, Self.prompt, try model.decoder()).count == 0)
    // Layers that changed in the middle of an answer leave what was read before them.
    let mixed = try reading(Self.prompt, decoder, then: changed, after: 2)
    let whole = Self.prompt + (try answer(decoder, limit: 8).tokens)
    #expect(try reused(mixed, whole, decoder).count == Self.prompt.count + 1)
    #expect(try reused(mixed, whole, changed).count == 0)
  }

  @Test func aNormThatIsSetMakesThePromptReadAnew() throws {
    let decoder = try TinyModel().decoder()
    let read = try reading(Self.prompt, decoder)
    var changed = decoder
    let name = "model.layers.1.input_layernorm"
    try changed.setNorm(name, try #require(decoder.norm(named: name)).map { $0 / 2 })
    let found = try reused(read, Self.prompt, changed)
    #expect(found.count == 0)
    #expect(found.tokens == (try answer(changed, limit: 5).tokens))
    #expect(try reused(read, Self.prompt, decoder).count == Self.prompt.count - 1)
  }

  @Test func aLayerThatChangesInHalfAPromptLeavesWhatWasReadBefore() throws {
    let decoder = try TinyModel().decoder()
    var changed = decoder
    let layer = try #require(decoder.description.layers.first { $0.block == 1 })
    try changed.setLayer(layer.name, try #require(decoder.weights(of: layer.name)))
    var generation = try Generation(
      decoder: decoder, prompt: Self.prompt, sampler: Sampler(), tokenLimit: 2, endTokens: [],
      cacheType: .f32, chunk: 2)
    #expect(try generation.step(using: decoder) == .prompt(read: 2))
    while true {
      if case .ended = try generation.step(using: changed) { break }
    }
    let read = generation.readTokens
    #expect(try reused(read, Self.prompt, decoder).count == 2)
    #expect(try reused(read, Self.prompt, changed).count == 0)
  }

  @Test func whatIsCutBackIsNotCopied() throws {
    func place(_ read: ReadTokens) throws -> UInt {
      let keys = try #require(read.cache.blocks.first?.keys)
      return unsafe keys.bytes.withUnsafeBytes { UInt(bitPattern: $0.baseAddress) }
    }
    let decoder = try TinyModel().decoder()
    let read = try reading(Self.prompt, decoder)
    let before = try place(read)
    let generation = try Generation(
      decoder: decoder, prompt: Array(Self.prompt.prefix(3)), sampler: Sampler(), tokenLimit: 1,
      endTokens: [], cacheType: .f32, continuing: consume read)
    #expect(generation.reusedCount == 2)
    #expect(try place(generation.readTokens) == before)
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
