import Inference
import Tensors
import Testing

/// Sampling follows the softmax of what top-k and top-p leave, and nothing but seed and position.
struct SamplerTests {
  static let logits = Logits([1.0, 3.0, 2.0, -1.0, 2.5, 0.5, 3.0, -4.0])

  @Test func zeroTemperatureTakesTheFirstOfTheBest() {
    for position in 0..<20 {
      #expect(Sampler().token(from: Self.logits, at: position) == 1)
      #expect(Sampler(temperature: .nan).token(from: Self.logits, at: position) == 1)
      #expect(Sampler(temperature: -1).token(from: Self.logits, at: position) == 1)
    }
  }

  @Test func theSameSeedGivesTheSameTokensAndAnotherSeedOthers() {
    func draw(_ seed: UInt64) -> [Int] {
      (0..<100).map { Sampler(temperature: 1, seed: seed).token(from: Self.logits, at: $0) }
    }
    #expect(draw(7) == draw(7))
    #expect(draw(7) != draw(8))
    #expect(Set(draw(7)).count > 3)
  }

  @Test(arguments: [
    (temperature: 1.0, topK: 0, topP: 1.0), (0.5, 0, 1.0), (2.0, 3, 1.0), (1.0, 0, 0.6),
    (1.5, 5, 0.8), (1.0, 100, 0.0), (1.0, 1, 1.0),
  ])
  func frequenciesAreTheProbabilities(temperature: Double, topK: Int, topP: Double) {
    let expected = Self.probabilities(temperature: temperature, topK: topK, topP: topP)
    let sampler = Sampler(temperature: temperature, topK: topK, topP: topP, seed: 5)
    let draws = 10_000
    var counts = Array(repeating: 0, count: expected.count)
    for position in 0..<draws { counts[sampler.token(from: Self.logits, at: position)] += 1 }
    for (count, probability) in zip(counts, expected) {
      // Five standard deviations of a binomial count.
      let spread = (Double(draws) * probability * (1 - probability)).squareRoot()
      #expect(abs(Double(count) - Double(draws) * probability) <= 5 * spread)
    }
  }

  @Test func slightlyDifferentModelsMostlyAgree() {
    let sampler = Sampler(temperature: 1, seed: 3)
    let other = Logits(Self.logits.values.enumerated().map { $1 + Float($0 % 3) * 0.01 })
    let same = (0..<2000).count { position in
      sampler.token(from: Self.logits, at: position) == sampler.token(from: other, at: position)
    }
    #expect(same > 1960 && same < 2000)
  }

  @Test func candidatesFarBelowTheTopCountWhenTopKAsksForThem() {
    // Logits so far apart that only a high temperature reaches the last.
    let spread = Logits((0..<50).map { Float(-$0) * 4 })
    let sampler = Sampler(temperature: 1000, topK: 49, seed: 1)
    let drawn = Set((0..<3000).map { sampler.token(from: spread, at: $0) })
    #expect(drawn == Set(0..<49))
  }

  @Test func logitsThatAreNoNumbersDoNotCrash() {
    for values in [[Float.nan, .nan], [.infinity, 1], [-.infinity, -.infinity]] {
      for temperature in [0.0, 1.0] {
        let sampler = Sampler(temperature: temperature, topK: 1, topP: 0.5)
        #expect((0..<2).contains(sampler.token(from: Logits(values), at: 0)))
      }
    }
  }

  /// Softmax, then the largest k, then the smallest set with probability p, by the book.
  private static func probabilities(temperature: Double, topK: Int, topP: Double) -> [Double] {
    let order = logits.values.indices.sorted {
      logits.values[$0] != logits.values[$1] ? logits.values[$0] > logits.values[$1] : $0 < $1
    }
    let kept = order.prefix(topK > 0 ? topK : order.count)
    let weights = kept.map { exponential(Double(logits.values[$0]) / temperature) }
    let total = weights.reduce(0, +)
    var result = Array(repeating: 0.0, count: order.count)
    var (sum, chosen) = (0.0, 0.0)
    for (place, weight) in zip(kept, weights) where sum == 0 || sum < topP {
      sum += weight / total
      chosen += weight
      result[place] = weight
    }
    return result.map { $0 / chosen }
  }

  private static func exponential(_ x: Double) -> Double {
    (0..<60).reduce((sum: 0.0, term: 1.0)) { ($0.sum + $0.term, $0.term * x / Double($1 + 1)) }.sum
  }
}
