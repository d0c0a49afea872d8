import Checkpoints
import Inference
import Tensors
import TestSupport
import Testing

/// Caches of models whose recurrences can go back to a few earlier states only.
///
/// The model is made by `make families`.
struct RecurrentCacheTests {
  private static let pool = WorkerPool(threads: 2)
  private let family: Family
  private let decoder: Inference.Decoder

  init() throws {
    family = try Family("qwen3_5")
    decoder = try Inference.Decoder(checkpoint: .open(family.path), pool: Self.pool)
  }

  /// Logits from `start` on, of a sequence that the cache has the beginning of.
  private func expectLogits(from start: Int, _ cache: inout KeyValueCache) throws {
    let tokens = Array(family.rows[0][start...])
    let found = try decoder.forward(tokens: tokens, cache: &cache, wants: .all)
    let columns = decoder.description.vocabularySize
    let expected = family.logits(ofRow: 0)[(start * columns)...]
    #expect(largestError(found.values, Array(expected)) < family.tolerance)
  }

  @Test(arguments: [
    (40, 40), (39, 39), (38, 29), (30, 29), (29, 29), (28, 9), (9, 9), (5, 0), (0, 0),
  ])
  func goesBackToWhatWasKept(length: Int, kept: Int) throws {
    let tokens = family.rows[0]
    var cache = decoder.makeCache()
    // The state before the last position of each part is kept.
    for part in [0..<10, 10..<30, 30..<40] {
      _ = try decoder.forward(tokens: Array(tokens[part]), cache: &cache, wants: .none)
    }
    cache.truncate(to: length)
    #expect(cache.count == kept)
    guard kept < tokens.count else { return }
    try expectLogits(from: kept, &cache)
  }

  /// Single tokens keep nothing, so that an answer takes no more memory than its state.
  @Test func answersKeepNoStates() throws {
    let tokens = family.rows[0]
    var cache = decoder.makeCache(as: .f32)
    _ = try decoder.forward(tokens: Array(tokens[..<20]), cache: &cache, wants: .none)
    let blueprint = try #require(decoder.description.blueprint)
    let perToken =
      blueprint.cacheBytes(positions: 1, as: .f32) - blueprint.cacheBytes(positions: 0, as: .f32)
    let before = cache.byteCount
    // The state, and the one that is kept.
    #expect(before == 20 * perToken + 2 * blueprint.cacheBytes(positions: 0, as: .f32))
    for token in tokens[20..<30] {
      _ = try decoder.forward(tokens: [token], cache: &cache, wants: .none)
    }
    #expect(cache.byteCount == before + 10 * perToken)
    cache.truncate(to: 25)
    #expect(cache.count == 19)
    try expectLogits(from: 19, &cache)
  }

  /// The same prompt again needs its last token only, and gives the same answer.
  @Test func promptsGoOnFromWhatWasRead() throws {
    func answer(_ earlier: consuming ReadTokens?) throws -> Generation {
      var generation = try Generation(
        decoder: decoder, prompt: family.rows[1], sampler: Sampler(),
        tokenLimit: family.greedy.count, endTokens: [], cacheType: .f32, continuing: earlier,
        chunk: 64)
      while try generation.step(using: decoder) != .ended(.tokenLimit) {}
      return generation
    }
    let first = try answer(nil)
    let second = try answer(first.readTokens)
    #expect(first.tokens == family.greedy && second.tokens == family.greedy)
    #expect(first.reusedCount == 0 && second.reusedCount == family.rows[1].count - 1)
  }

  @Test func cachesOfOtherModelsAreRefused() throws {
    let other = try Family("qwen3_5-wrapped")
    let model = try Inference.Decoder(checkpoint: .open(other.path), pool: Self.pool)
    var cache = model.makeCache()
    #expect(throws: InferenceError.foreignCache) {
      try decoder.forward(tokens: [3], cache: &cache, wants: .last)
    }
  }
}
