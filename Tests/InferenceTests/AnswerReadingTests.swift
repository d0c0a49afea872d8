import Checkpoints
import Foundation
import Inference
import Tensors
import TestSupport
import Testing
import Work

/// What two models expect of an answer, and the blocks that make them part, against the same by the book.
struct AnswerReadingTests {
  private static let tokens: [Int] = {
    var noise = Noise(seed: 9)
    return (0..<23).map { _ in noise.next(below: 101) }
  }()
  /// Where the answer begins.
  private static let start = 9

  /// The model, and one whose layers of these blocks are another model's; nil stands for the embedding.
  private func models(
    _ changed: Set<Int?>
  ) throws -> (decoders: (Decoder, Decoder), plain: PlainDecoder, other: TinyModel) {
    let (model, other) = (TinyModel(), TinyModel(seed: 2))
    var compressed = try model.decoder()
    for layer in model.description.layers where changed.contains(layer.block) {
      try compressed.setLayer(layer.name, try #require(other.layers[layer.name]))
    }
    return ((try model.decoder(), compressed), PlainDecoder(model), other)
  }

  /// The plain model with the other's layers in these blocks.
  private func mixed(
    _ plain: PlainDecoder, _ other: TinyModel, _ blocks: Set<Int?>
  ) -> PlainDecoder {
    var mixed = plain
    for layer in plain.model.layers where blocks.contains(layer.block) {
      mixed.layers[layer.name] = other.layers[layer.name]?.decoded()
    }
    return mixed
  }

  /// Log-probabilities before each token of the answer.
  private func distributions(_ plain: PlainDecoder) -> [[Double]] {
    plain.logits(Self.tokens)[(Self.start - 1)..<(Self.tokens.count - 1)].map { logits in
      let total = log(logits.map { exp($0) }.reduce(0, +))
      return logits.map { $0 - total }
    }
  }

  private func divergence(_ first: [Double], _ second: [Double]) -> Double {
    zip(first, second).map { exp($0) * ($0 - $1) }.reduce(0, +)
  }

  private func best(_ values: [Double]) -> Int {
    values.indices.max { values[$0] < values[$1] } ?? 0
  }

  /// Relative error of the hidden states behind a place, over the tokens that predict the answer.
  private func error(_ found: PlainDecoder, _ expected: PlainDecoder, behind place: Int) -> Double {
    let rows = (Self.start - 1)..<(Self.tokens.count - 1)
    let pairs = zip(
      found.states(Self.tokens)[place][rows].joined(),
      expected.states(Self.tokens)[place][rows].joined())
    let noise = pairs.map { ($0 - $1) * ($0 - $1) }.reduce(0, +)
    return (noise / pairs.map { $1 * $1 }.reduce(0, +)).squareRoot()
  }

  private func parting(
    _ models: (Decoder, Decoder)
  ) throws -> [BlockPartingPass.Found] {
    var pass = try BlockPartingPass(
      of: Self.tokens, from: Self.start, reference: models.0, compressed: models.1)
    let record = PaceRecord()
    var found: [BlockPartingPass.Found] = []
    try pass.run(pace: record.pace) { found.append($0) }
    return found
  }

  @Test func blockByBlockTheAnswerPartsAsByTheBook() throws {
    let (decoders, plain, other) = try models([0, 1])
    let found = try parting(decoders)
    #expect(found.map(\.place) == [.block(0), .block(1), .head])
    let expected = distributions(plain)
    for (index, blocks) in [Set<Int?>([0]), [0, 1], [0, 1]].enumerated() {
      let mix = mixed(plain, other, blocks)
      let distributions = distributions(mix)
      let divergences = zip(expected, distributions).map { divergence($0, $1) }
      let mean = divergences.reduce(0, +) / Double(divergences.count)
      #expect(abs(found[index].divergence / mean - 1) < 1e-3)
      #expect(
        found[index].parting
          == zip(expected, distributions).enumerated()
          .first { best($1.0) != best($1.1) }?.offset)
      guard index < 2 else { continue }
      let relative = try #require(found[index].relativeError)
      #expect(abs(relative / error(mix, plain, behind: index + 1) - 1) < 1e-3)
      let own = try #require(found[index].ownError)
      let alone = mixed(plain, other, [index])
      #expect(abs(own / error(alone, plain, behind: index + 1) - 1) < 1e-3)
    }
  }

  @Test func whatComesBeforeTheFirstChangedBlockIsTheSame() throws {
    let found = try parting(models([1]).decoders)
    #expect(found[0].divergence == 0 && found[0].relativeError == 0 && found[0].parting == nil)
    #expect(found[1].divergence > 0)
    #expect(try parting(models([]).decoders).allSatisfy { $0.divergence == 0 })
  }

  @Test func aChangedEmbeddingComesFirst() throws {
    let (decoders, plain, other) = try models([nil])
    let found = try parting(decoders)
    #expect(found.map(\.place) == [.embedding, .block(0), .block(1), .head])
    #expect(
      abs((found[0].relativeError ?? 0) / error(mixed(plain, other, [nil]), plain, behind: 0) - 1)
        < 1e-3)
    #expect(found[1].ownError == 0)
  }

  @Test func modelsOfOtherDepthAreRefused() throws {
    let decoder = try TinyModel().decoder()
    #expect(throws: InferenceError.self) {
      try parting((decoder, decoder.leavingOut(blocks: [1])))
    }
  }

  @Test func aPassThatIsCancelledEnds() throws {
    let decoders = try models([0, 1]).decoders
    var pass = try BlockPartingPass(
      of: Self.tokens, from: Self.start, reference: decoders.0, compressed: decoders.1)
    var found = 0
    #expect(throws: InferenceError.cancelled) {
      try pass.run(pace: PaceRecord().pace.ending { found == 0 }) { _ in found += 1 }
    }
    #expect(found == 1)
  }

  @Test func expectationsAreThoseByTheBook() throws {
    let (decoders, plain, other) = try models([0, 1])
    let reading = try AnswerReading(
      of: Self.tokens, from: Self.start, reference: decoders.0, compressed: decoders.1)
    let scores = try reading.parts.flatMap { try reading.scores(at: $0, best: 4) }
    let answer = Self.tokens[Self.start...]
    #expect(
      scores.map(\.token) == Array(answer)
        && scores.map(\.index) == Array(answer.indices).map { $0 - Self.start })
    let (first, second) = (distributions(plain), distributions(mixed(plain, other, [0, 1])))
    for (place, score) in scores.enumerated() {
      #expect(abs(score.divergence / divergence(first[place], second[place]) - 1) < 1e-3)
      for (found, expected) in [(score.reference, first[place]), (score.compressed, second[place])]
      {
        #expect(abs(found.probability - exp(expected[score.token])) < 1e-4)
        #expect(found.rank == 1 + expected.count { $0 > expected[score.token] })
        let sorted = expected.indices.sorted { expected[$0] > expected[$1] }.prefix(4)
        #expect(found.best.map(\.token) == Array(sorted))
        #expect(abs(found.best[0].probability - exp(expected[sorted[0]])) < 1e-4)
      }
    }
  }
}
