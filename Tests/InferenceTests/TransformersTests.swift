import Inference
import Tensors
import Testing

/// Real models against what transformers computes with them in single precision.
///
/// SmolLM2 is fetched by `make test`; without it these tests fail and name what is missing.
@Suite(.serialized) struct TransformersTests {
  static let pool = WorkerPool()

  /// Each model with the record of what transformers made of the same file.
  static let models = [
    ("Samples/scripture", "sample"), ("smollm2-hf", "smollm2-hf"), ("smollm2.gguf", "smollm2-gguf"),
  ]

  @Test(arguments: models)
  func greedyAnswersAreIdentical(model: String, record: String) throws {
    let decoder = try RealModel.decoder(model, on: Self.pool)
    let prompts = try TransformersRecord.load(record).prompts
    #expect(prompts.count == (record == "sample" ? 5 : 10))
    for prompt in prompts {
      var generation = try Generation(
        decoder: decoder, prompt: prompt.ids, sampler: Sampler(), tokenLimit: prompt.tokens.count,
        endTokens: [])
      while try generation.step(using: decoder) != .ended(.tokenLimit) {}
      #expect(generation.tokens == prompt.tokens, "\(prompt.text)")
    }
  }

  @Test(arguments: models)
  func logitsAgree(model: String, record: String) throws {
    let decoder = try RealModel.decoder(model, on: Self.pool)
    let expected = try TransformersRecord.load(record).logits
    let sampled = expected.vocabularyIDs
    var cache = decoder.makeCache()
    var place = 0
    // Chunks of odd sizes go through both kinds of product, row by row and tiled.
    for size in [1, 2, 5, 40, 64, 3, 100, 41] {
      let part = Array(expected.ids[place..<place + size])
      let found = try decoder.forward(tokens: part, cache: &cache, wants: .all)
      for row in 0..<size {
        let logits = Logits(Array(found.row(row)))
        let position = place + row
        let wanted = expected.values[position * sampled.count..<(position + 1) * sampled.count]
        #expect(relativeError(sampled.map { logits.values[$0] }, Array(wanted)) < 1e-3)
        // Layers of codes read inputs of 16 bits, which moves all logits alike most of all.
        let slack = model.hasSuffix(".gguf") ? 6e-3 : 2e-3
        #expect(abs(logits.logSumExp - Double(expected.logSumExp[position])) < slack)
        #expect(logits.best == expected.best[position])
      }
      place += size
    }
    #expect(place == 256)
  }

  @Test(arguments: models)
  func perplexityAgrees(model: String, record: String) throws {
    let decoder = try RealModel.decoder(model, on: Self.pool)
    let expected = try TransformersRecord.load(record).perplexity
    var evaluation = try Evaluation(
      tokens: expected.ids, settings: .init(window: expected.window, chunk: 32),
      reference: decoder, compares: false)
    try evaluation.run(reference: decoder)
    let result = try #require(evaluation.result)
    #expect(result.tokens == expected.scored)
    #expect(abs(result.referencePPL.value / expected.ppl - 1) < 1e-4)
  }

  /// The Hugging Face directory holds the GGUF file's dequantized weights, rounded to F16: that costs about as
  /// much as llama.cpp's F16 file of this model loses against its F32 file, a KLD of 5e-6.
  @Test func bothFilesAreOneModelButForRounding() throws {
    let exact = try RealModel.decoder("smollm2.gguf", on: Self.pool)
    let rounded = try RealModel.decoder("smollm2-hf", on: Self.pool)
    let ids = try TransformersRecord.load("smollm2-hf").perplexity.ids
    var evaluation = try Evaluation(
      tokens: ids, settings: .init(window: 256), reference: exact, compares: true)
    try evaluation.run(reference: exact, compressed: rounded)
    let result = try #require(evaluation.result)
    let divergence = try #require(result.divergence)
    #expect(divergence.mean.value > 0 && divergence.mean.value < 3e-5)
    #expect(try #require(result.top1Agreement).value > 0.99)
    #expect(abs(try #require(result.compressedPPL).value / result.referencePPL.value - 1) < 1e-3)
  }
}
