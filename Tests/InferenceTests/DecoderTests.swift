import Checkpoints
import Inference
import Tensors
import Testing

/// The decoder against the forward pass by the book, on small random models.
struct DecoderTests {
  static let tokens = [3, 77, 100, 0, 42, 42, 9, 15, 88, 61, 7, 30]

  @Test(arguments: [ElementType.float32, .float16, .bfloat16], [true, false])
  func logitsEqualThoseByTheBook(type: ElementType, tied: Bool) throws {
    let model = TinyModel(type: type, tiesEmbeddings: tied)
    let decoder = try model.decoder()
    var cache = decoder.makeCache()
    let found = try decoder.forward(tokens: Self.tokens, cache: &cache, wants: .all)
    let expected = PlainDecoder(model).logits(Self.tokens).flatMap { $0.map(Float.init) }
    #expect(found.rows == Self.tokens.count && found.columns == 101)
    #expect(relativeError(found.values, expected) < 1e-5)
    #expect(cache.count == Self.tokens.count)
  }

  @Test func stretchedFrequenciesFollowLlama3() throws {
    let scaling = RopeScaling.llama3(
      Llama3Scaling(
        factor: 8, lowFrequencyFactor: 1, highFrequencyFactor: 4, originalLength: 32))
    let model = TinyModel(ropeScaling: scaling)
    let decoder = try model.decoder()
    var cache = decoder.makeCache()
    let found = try decoder.forward(tokens: Self.tokens, cache: &cache, wants: .all)
    let expected = PlainDecoder(model).logits(Self.tokens).flatMap { $0.map(Float.init) }
    #expect(relativeError(found.values, expected) < 1e-5)
  }

  @Test(arguments: [1, 2, 5, 7, 11])
  func chunksGiveWhatOnePassGives(chunk: Int) throws {
    let decoder = try TinyModel().decoder()
    var whole = decoder.makeCache()
    let expected = try decoder.forward(tokens: Self.tokens, cache: &whole, wants: .last)
    var cache = decoder.makeCache()
    var found = Matrix(rows: 0, columns: 0)
    for start in stride(from: 0, to: Self.tokens.count, by: chunk) {
      let part = Array(Self.tokens[start..<min(start + chunk, Self.tokens.count)])
      let isLast = start + part.count == Self.tokens.count
      found = try decoder.forward(tokens: part, cache: &cache, wants: isLast ? .last : .none)
      #expect(found.rows == (isLast ? 1 : 0))
    }
    #expect(relativeError(found.values, expected.values) < 1e-5)
  }

  @Test func forgettingPositionsUndoesThem() throws {
    let decoder = try TinyModel().decoder()
    var cache = decoder.makeCache()
    _ = try decoder.forward(tokens: [1, 2, 3], cache: &cache, wants: .none)
    let expected = try decoder.forward(tokens: [4], cache: &cache, wants: .last)
    _ = try decoder.forward(tokens: [5, 6], cache: &cache, wants: .none)
    cache.truncate(to: 3)
    #expect(cache.count == 3)
    let found = try decoder.forward(tokens: [4], cache: &cache, wants: .last)
    #expect(found == expected)
  }

  @Test func aSetLayerComputesFromTheNextTokenOnAndOnlyInItsCopy() throws {
    let model = TinyModel()
    let reference = try model.decoder()
    var changed = reference
    let name = "model.layers.1.mlp.up_proj"
    let zeros = LayerWeights.dense(
      bits: Array(repeating: 0, count: 96 * 64), type: .float16, rows: 96, columns: 64)
    try changed.setLayer(name, zeros)

    var plain = PlainDecoder(model)
    let original = plain.logits(Self.tokens).flatMap { $0.map(Float.init) }
    plain.layers[name] = Matrix(rows: 96, columns: 64)
    let expected = plain.logits(Self.tokens).flatMap { $0.map(Float.init) }
    var caches = (reference.makeCache(), reference.makeCache())
    let kept = try reference.forward(tokens: Self.tokens, cache: &caches.0, wants: .all)
    let found = try changed.forward(tokens: Self.tokens, cache: &caches.1, wants: .all)
    #expect(relativeError(kept.values, original) < 1e-5)
    #expect(relativeError(found.values, expected) < 1e-5)
    #expect(relativeError(found.values, original) > 1e-3)
  }

  @Test func aTiedEmbeddingIsOneSlotForLookupAndHead() throws {
    let model = TinyModel()
    var decoder = try model.decoder()
    let other = TinyModel(seed: 2)
    let embedding = try #require(other.layers["model.embed_tokens"])
    try decoder.setLayer("lm_head", embedding)
    var plain = PlainDecoder(model)
    plain.layers["model.embed_tokens"] = embedding.decoded()
    var cache = decoder.makeCache()
    let found = try decoder.forward(tokens: Self.tokens, cache: &cache, wants: .all)
    let expected = plain.logits(Self.tokens).flatMap { $0.map(Float.init) }
    #expect(relativeError(found.values, expected) < 1e-5)
  }

  @Test func anUntiedHeadLeavesTheLookupAlone() throws {
    let model = TinyModel(tiesEmbeddings: false)
    var decoder = try model.decoder()
    let head = try #require(TinyModel(tiesEmbeddings: false, seed: 3).layers["lm_head"])
    try decoder.setLayer("lm_head", head)
    var plain = PlainDecoder(model)
    plain.layers["lm_head"] = head.decoded()
    var cache = decoder.makeCache()
    let found = try decoder.forward(tokens: Self.tokens, cache: &cache, wants: .all)
    let expected = plain.logits(Self.tokens).flatMap { $0.map(Float.init) }
    #expect(relativeError(found.values, expected) < 1e-5)
  }
}

/// What a decoder refuses, and that it then leaves everything as it was.
struct DecoderRefusalTests {
  @Test func idsOutsideTheVocabulary() throws {
    let decoder = try TinyModel().decoder()
    var cache = decoder.makeCache()
    for id in [-1, 101, Int.max] {
      #expect(throws: InferenceError.unknownToken(id: id, vocabularySize: 101)) {
        try decoder.forward(tokens: [5, id], cache: &cache, wants: .last)
      }
    }
    #expect(throws: InferenceError.emptyInput) {
      try decoder.forward(tokens: [], cache: &cache, wants: .last)
    }
    #expect(cache.count == 0)
  }

  @Test func moreTokensThanTheContextHolds() throws {
    let decoder = try TinyModel(contextLength: 8).decoder()
    var cache = decoder.makeCache()
    _ = try decoder.forward(tokens: Array(0..<8), cache: &cache, wants: .none)
    #expect(throws: InferenceError.contextExceeded(tokens: 9, limit: 8)) {
      try decoder.forward(tokens: [1], cache: &cache, wants: .last)
    }
    #expect(cache.count == 8)
  }

  @Test func weightsOfAnotherShapeAndUnknownLayers() throws {
    var decoder = try TinyModel().decoder()
    let square = LayerWeights.dense(
      bits: Array(repeating: 0, count: 64 * 64), type: .float16, rows: 64, columns: 64)
    let name = "model.layers.0.mlp.up_proj"
    #expect(
      throws: InferenceError.wrongShape(layer: name, expected: [96, 64], found: [64, 64])
    ) { try decoder.setLayer(name, square) }
    #expect(throws: InferenceError.missing(name: "model.layers.2.mlp.up_proj")) {
      try decoder.setLayer("model.layers.2.mlp.up_proj", square)
    }
    #expect(decoder.weights(of: name)?.rows == 96)
    #expect(decoder.weights(of: "model.norm")?.rows == nil)
  }

  @Test func checkpointsThatLackALayer() throws {
    let model = TinyModel()
    var layers = model.layers
    layers["model.layers.1.self_attn.k_proj"] = nil
    #expect(throws: InferenceError.missing(name: "model.layers.1.self_attn.k_proj")) {
      try Decoder(
        description: model.description, layers: layers, norms: model.norms,
        pool: WorkerPool(threads: 1))
    }
  }
}
