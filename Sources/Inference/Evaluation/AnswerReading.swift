import Glibc
import Tensors
import Work

/// An answer that two models have read after the same prompt, and what each expected at every token of it.
public struct AnswerReading: Sendable {
  /// A token that a model might have chosen.
  public struct Alternative: Hashable, Sendable {
    public let token: Int
    public let probability: Double
  }

  /// What one model expects at a token.
  public struct Expectation: Hashable, Sendable {
    /// Of the token that stands there: 0...1.
    public let probability: Double
    /// That token among all by probability, from 1.
    public let rank: Int
    /// The most probable tokens, the first before all.
    public let best: [Alternative]

    init(of token: Int, in logits: Logits, best count: Int) {
      probability = exp(logits.logProbability(of: token))
      let value = logits.values[token]
      rank = 1 + logits.values.count { $0 > value }
      best = logits.largest(count).map {
        Alternative(token: $0, probability: exp(logits.logProbability(of: $0)))
      }
    }
  }

  /// What both models expect at a token.
  public struct Scores: Hashable, Sendable {
    /// Place in the answer, from 0.
    public let index: Int
    public let token: Int
    public let reference: Expectation
    public let compressed: Expectation
    /// KLD of the compressed model's distribution from the reference's, in nats.
    public let divergence: Double
  }

  private let tokens: [Int]
  private let start: Int
  private let models: (reference: Decoder, compressed: Decoder)
  private let states: (reference: Matrix, compressed: Matrix)

  /// Lets both models read.
  ///
  /// - Parameters:
  ///   - tokens: Prompt and answer.
  ///   - start: Where the answer begins.
  ///   - reference: The model that is compared with.
  ///   - compressed: The other one.
  ///   - cacheType: What keys and values are held as.
  ///   - pace: Of reading.
  /// - Throws: ``InferenceError`` for ids outside the vocabulary, or an answer without a prompt.
  public init(
    of tokens: [Int], from start: Int, reference: Decoder, compressed: Decoder,
    cacheType: CacheType = .f32, pace: Pace = .unwatched
  ) throws(InferenceError) {
    guard start > 0, start <= tokens.count else { throw .emptyInput }
    (self.tokens, self.start) = (tokens, start)
    models = (reference, compressed)
    // The last token is read by nobody: it predicts what is no part of the answer.
    let read = Array(tokens.dropLast())
    states = (
      try reference.lastStates(of: read, cacheType: cacheType, pace: pace.part(0, of: 2)),
      try compressed.lastStates(of: read, cacheType: cacheType, pace: pace.part(1, of: 2))
    )
  }

  /// The answer in parts whose logits are computed at once.
  public var parts: [Range<Int>] {
    let length = models.reference.positionsAtHead
    return stride(from: 0, to: tokens.count - start, by: length)
      .map { $0..<min($0 + length, tokens.count - start) }
  }

  /// What was expected at some tokens of the answer.
  ///
  /// - Parameters:
  ///   - places: In the answer, from 0.
  ///   - count: How many of the most probable tokens are told.
  /// - Returns: Of each token, in order.
  /// - Throws: ``InferenceError/notFinite(place:)`` when what a model computes are no numbers.
  public func scores(at places: Range<Int>, best count: Int) throws(InferenceError) -> [Scores] {
    // What stands before a token predicts it.
    let rows = places.lowerBound + start - 1..<places.upperBound + start - 1
    func logits(_ model: Decoder, _ states: Matrix) throws(InferenceError) -> Matrix {
      let logits = model.logits(of: model.headInputs(states.rows(rows)))
      if let row = logits.firstNonFiniteRow {
        throw .notFinite(place: "after \(rows.lowerBound + row + 1) tokens")
      }
      return logits
    }
    let reference = try logits(models.reference, states.reference)
    let compressed = try logits(models.compressed, states.compressed)
    return places.enumerated().map { row, place in
      let token = tokens[start + place]
      let expected = Logits(Array(reference.row(row)))
      let found = Logits(Array(compressed.row(row)))
      return Scores(
        index: place, token: token,
        reference: Expectation(of: token, in: expected, best: count),
        compressed: Expectation(of: token, in: found, best: count),
        divergence: expected.divergence(to: found))
    }
  }
}

extension Logits {
  /// The most probable tokens, the first before all and of equals the one with the least id.
  fileprivate func largest(_ count: Int) -> [Int] {
    var best: [Int] = []
    for (token, value) in values.enumerated() {
      if best.count == count, let last = best.last, value <= values[last] { continue }
      let place = best.firstIndex { value > values[$0] } ?? best.count
      best.insert(token, at: place)
      if best.count > count { best.removeLast() }
    }
    return best
  }
}
