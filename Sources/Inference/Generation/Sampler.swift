import Glibc
import Tensors

/// Chooses the next token from logits, the same for the same seed and position.
///
/// Sampling is by Gumbel-max: the token with the largest logit / temperature + Gumbel noise is a sample of the
/// softmax. Candidates are cut down to the most probable first, as transformers does: temperature, then top-k,
/// then top-p.
public struct Sampler: Hashable, Sendable {
  /// 0 is greedy.
  public let temperature: Double
  /// Only the most probable `topK` tokens; 0 means all.
  public let topK: Int
  /// Only the smallest set of tokens with this probability together; 1 means all.
  public let topP: Double
  public let seed: UInt64

  /// Values outside their range mean what the nearest value inside means.
  public init(temperature: Double = 0, topK: Int = 0, topP: Double = 1, seed: UInt64 = 0) {
    self.temperature = temperature.isFinite ? max(temperature, 0) : 0
    self.topK = max(topK, 0)
    self.topP = topP.isFinite ? min(max(topP, 0), 1) : 1
    self.seed = seed
  }

  /// The token at `position` of the sequence, given the logits before it.
  public func token(from logits: Logits, at position: Int) -> Int {
    let best = logits.best
    guard temperature > 0 else { return best }
    let noise = CounterNoise(seed: seed, position: position)
    let candidates = candidates(of: logits, best: best)
    var winner = (token: best, score: -Double.infinity)
    func consider(_ token: Int) {
      let scaled = Double(logits.values[token]) / temperature
      let bits = noise.bits(for: token)
      guard scaled + CounterNoise.gumbelBound(bits) > winner.score else { return }
      let score = scaled + CounterNoise.gumbel(bits)
      if score > winner.score { winner = (token, score) }
    }
    consider(best)
    if let candidates {
      candidates.forEach(consider)
    } else {
      logits.values.indices.forEach(consider)
    }
    return winner.token
  }

  /// The tokens that top-k and top-p leave; nil when they leave all.
  private func candidates(of logits: Logits, best: Int) -> [Int]? {
    let limit = topK > 0 ? min(topK, logits.values.count) : logits.values.count
    guard limit < logits.values.count || topP < 1 else { return nil }
    var sorted = mostProbable(limit, of: logits.values, largest: logits.values[best])
    if topP < 1 {
      let largest = Double(logits.values[best])
      let weights = sorted.map { exp((Double(logits.values[$0]) - largest) / temperature) }
      let enough = weights.reduce(0, +) * topP
      var (sum, count) = (0.0, 0)
      while count < weights.count, count == 0 || sum < enough {
        sum += weights[count]
        count += 1
      }
      sorted.removeLast(sorted.count - count)
    }
    return sorted
  }

  /// At least `limit` tokens' worth: the `limit` tokens with the largest logits, largest first.
  private func mostProbable(_ limit: Int, of values: [Float], largest: Float) -> [Int] {
    // Few tokens lie near the top: sort those, and all only if they are not enough.
    var near = values.indices.filter { values[$0] > largest - 8 }
    let isEnough = topK > 0 && near.count >= limit
    if !isEnough { near = Array(values.indices) }
    near.sort { values[$0] != values[$1] ? values[$0] > values[$1] : $0 < $1 }
    return Array(near.prefix(limit))
  }
}
