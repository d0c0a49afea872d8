import Foundation
import Inference
import Tensors
import TestSupport
import Testing

/// PPL, KLD and agreement against the same figures by the book.
struct EvaluationTests {
  private static let tokens: [Int] = {
    var noise = Noise(seed: 4)
    return (0..<70).map { _ in noise.next(below: 101) }
  }()

  private func run(
    _ settings: Evaluation.Settings, tokens: [Int] = tokens, _ reference: Decoder,
    _ compressed: Decoder? = nil
  ) throws -> EvaluationSummary {
    var evaluation = try Evaluation(
      tokens: tokens, settings: settings, reference: reference, compares: compressed != nil)
    let record = PaceRecord()
    try evaluation.run(reference: reference, compressed: compressed, pace: record.pace)
    #expect(record.isComplete)
    let result = try #require(evaluation.result)
    #expect(result.tokens == evaluation.scoredTokenCount)
    return result
  }

  /// Log-probabilities before each scored token, and that token, window by window.
  private func scored(
    _ plain: PlainDecoder, window: Int, begin: Int?
  ) -> [(logProbabilities: [Double], next: Int)] {
    stride(from: 0, through: Self.tokens.count - window, by: window).flatMap { start in
      var ids = Array(Self.tokens[start..<start + window])
      let next = ids
      if let begin { ids[0] = begin }
      let logits = plain.logits(ids)
      return (window / 2..<window - 1).map { place in
        let total = log(logits[place].map { exp($0) }.reduce(0, +))
        return (logits[place].map { $0 - total }, next[place + 1])
      }
    }
  }

  @Test(arguments: zip([nil, 1, 1], [1, 5, 64]))
  func perplexityIsThatByTheBook(begin: Int?, chunk: Int) throws {
    let model = TinyModel()
    let settings = Evaluation.Settings(window: 16, beginToken: begin, chunk: chunk)
    let result = try run(settings, model.decoder())
    let expected = scored(PlainDecoder(model), window: 16, begin: begin)
    let loss = expected.map { -$0.logProbabilities[$0.next] }.reduce(0, +) / Double(expected.count)
    #expect(result.tokens == 4 * 7)
    #expect(abs(result.referencePPL.value / exp(loss) - 1) < 1e-5)
    #expect(result.compressedPPL == nil && result.divergence == nil)
  }

  @Test func divergenceIsThatByTheBook() throws {
    let (model, other) = (TinyModel(), TinyModel(seed: 2))
    let name = "model.layers.1.mlp.down_proj"
    var compressed = try model.decoder()
    try compressed.setLayer(name, try #require(other.layers[name]))
    let result = try run(
      Evaluation.Settings(window: 20, chunk: 7), model.decoder(), compressed)

    var plain = PlainDecoder(model)
    let references = scored(plain, window: 20, begin: nil)
    plain.layers[name] = other.layers[name]?.decoded()
    let changed = scored(plain, window: 20, begin: nil)
    let divergences = zip(references, changed).map { reference, other in
      zip(reference.logProbabilities, other.logProbabilities)
        .map { exp($0) * ($0 - $1) }.reduce(0, +)
    }.sorted()
    let count = Double(divergences.count)
    let loss = changed.map { -$0.logProbabilities[$0.next] }.reduce(0, +) / count
    let agreements = zip(references, changed).count { first, second in
      first.logProbabilities.firstIndex(of: first.logProbabilities.max() ?? 0)
        == second.logProbabilities.firstIndex(of: second.logProbabilities.max() ?? 0)
    }
    let found = try #require(result.divergence)
    #expect(abs(try #require(result.compressedPPL).value / exp(loss) - 1) < 1e-5)
    #expect(abs(found.mean.value - divergences.reduce(0, +) / count) < 1e-5)
    #expect(abs(found.median.value - divergences[13]) < 1e-5)
    #expect(abs(found.max.value - (divergences.last ?? 0)) < 1e-5)
    #expect(
      found.p99.value <= found.max.value && found.p99.value > divergences[divergences.count - 2])
    #expect(result.top1Agreement?.value == Double(agreements) / count)
  }

  @Test func aModelDoesNotDivergeFromItself() throws {
    let decoder = try TinyModel().decoder()
    let result = try run(Evaluation.Settings(window: 16), decoder, decoder)
    #expect(result.divergence?.mean.value == 0 && result.divergence?.max.value == 0)
    #expect(result.top1Agreement?.value == 1)
    #expect(result.compressedPPL == result.referencePPL)
  }

  @Test func windowsAreLimitedAndShortTextsAreOne() throws {
    let decoder = try TinyModel().decoder()
    let limited = try run(Evaluation.Settings(window: 16, windowLimit: 2), decoder)
    #expect(limited.tokens == 14)
    let short = try run(Evaluation.Settings(window: 60), tokens: [1, 2, 3, 4, 5, 6], decoder)
    #expect(short.tokens == 2)
  }

  @Test func whatCannotBeScoredIsRefused() throws {
    let decoder = try TinyModel().decoder()
    for tokens in [[], [1], [1, 2]] {
      #expect(throws: InferenceError.emptyInput) {
        try run(.init(window: 64), tokens: tokens, decoder)
      }
    }
    #expect(throws: InferenceError.emptyInput) {
      try run(.init(window: 64, windowLimit: 0), decoder)
    }
    #expect(throws: InferenceError.contextExceeded(tokens: 65, limit: 64)) {
      try run(.init(window: 65), decoder)
    }
  }
}
