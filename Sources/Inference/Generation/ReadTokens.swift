import Tensors

/// Tokens that a model has read, and their keys and values, from which a prompt that begins alike can go on.
public struct ReadTokens: Sendable {
  let tokens: [Int]
  private(set) var cache: KeyValueCache
  /// Positions that one and the same model has read, from the first on.
  let count: Int
  let reading: ReadingModel

  /// - Parameters:
  ///   - tokens: At least as many as the cache holds.
  ///   - cache: Their keys and values.
  ///   - count: Positions that `reading` has read; those after them count for nothing.
  ///   - reading: The model.
  init(tokens: [Int], cache: KeyValueCache, count: Int, by reading: ReadingModel) {
    self.tokens = tokens
    self.cache = cache
    self.count = count
    self.reading = reading
  }

  /// The keys and values of what a prompt begins with, its last token excepted, since something has to be read to go on.
  ///
  /// All others are forgotten: nothing is copied if nobody else holds them.
  ///
  /// - Returns: nil where the model is not the one that has read, or nothing agrees.
  mutating func cutBack(
    to prompt: [Int], for decoder: Decoder, as type: CacheType
  ) -> KeyValueCache? {
    guard reading == ReadingModel(decoder), cache.type == type,
      decoder.turnsAlike(lengths: cache.expectedCount, prompt.count)
    else { return nil }
    let most = min(count, prompt.count - 1)
    let length = zip(tokens, prompt).prefix(most).prefix { $0 == $1 }.count
    guard length > 0 else { return nil }
    cache.truncate(to: length)
    cache.expectedCount = prompt.count
    return cache
  }
}

/// What decides the keys and values that are computed of tokens.
struct ReadingModel: Equatable, Sendable {
  let revision: Decoder.Revision
  let arithmetic: Arithmetic
  /// The share of inputs that count as zero; nil is none.
  let prunedShare: Double?

  init(_ decoder: Decoder) {
    (revision, arithmetic) = (decoder.revision, decoder.arithmetic)
    prunedShare = decoder.inputPruning?.share
  }

  static func == (one: Self, other: Self) -> Bool {
    one.revision === other.revision && one.arithmetic == other.arithmetic
      && one.prunedShare == other.prunedShare
  }
}
