import Checkpoints
import Tensors
import Work

/// Finds the blocks that make two models part on an answer.
///
/// For each block the compressed model runs up to it and the reference goes on from there: the KLD then grows from block to
/// block, and where it grows most, the compressed model loses most. Both models read the same tokens; beside them each
/// block of the compressed model also reads what the reference gives it, so that its own error is told apart from what it
/// inherits.
public struct BlockPartingPass: Sendable {
  /// How far the compressed model goes.
  public enum Place: Hashable, Sendable {
    case embedding
    case block(Int)
    case head
  }

  /// What was found at a place.
  public struct Found: Hashable, Sendable {
    public let place: Place
    /// Relative error of what the place passes on at the answer's tokens; nil for the head.
    public let relativeError: Double?
    /// The same if the place had read what it reads in the reference; nil outside blocks.
    public let ownError: Double?
    /// Mean KLD in nats over the answer's tokens, if the reference goes on from here.
    public let divergence: Double
    /// The first token of the answer, from 0, at which another one is the most probable.
    public let parting: Int?
  }

  private let reference: Decoder
  private let compressed: Decoder
  private let cacheType: CacheType
  private let positions: (reference: Positions, compressed: Positions)
  /// Rows whose logits predict the answer.
  private let scored: Range<Int>
  /// Hidden states before the next block, of either model.
  private var states: (reference: Matrix, compressed: Matrix)
  /// Caches that later blocks read as well, of the models by themselves and of the compressed one reading what the
  /// reference reads.
  private var shared: Shared = ([:], [:], [:])
  private typealias Shared = (
    reference: [Int: BlockCache], alone: [Int: BlockCache], compressed: [Int: BlockCache]
  )
  /// The reference's, where the head reads them.
  private var last: Matrix
  /// The reference's logits at the scored rows, where memory holds them.
  private var expected: [Logits] = []

  /// Most logits of the reference that are kept, which is 128 MB.
  private static let keptLogits = 1 << 25

  /// - Parameters:
  ///   - tokens: Prompt and answer.
  ///   - start: Where the answer begins; without one, the end of the prompt is compared.
  ///   - reference: The model that is compared with.
  ///   - compressed: The other one, of as many blocks.
  ///   - cacheType: What keys and values are held as.
  /// - Throws: ``InferenceError`` for ids outside the vocabulary, an answer without a prompt, and models of different depth.
  public init(
    of tokens: [Int], from start: Int, reference: Decoder, compressed: Decoder,
    cacheType: CacheType = .f32
  ) throws(InferenceError) {
    guard start > 0, start <= tokens.count else { throw .emptyInput }
    guard reference.runningBlocks == compressed.runningBlocks,
      reference.blocks.count == compressed.blocks.count
    else {
      throw .invalidShape(
        reason: "the plan takes blocks out, so that they cannot be compared one by one")
    }
    let read = start == tokens.count ? tokens : Array(tokens.dropLast())
    try reference.check(read)
    (self.reference, self.compressed, self.cacheType) = (reference, compressed, cacheType)
    positions = (
      reference.positions(read.indices, ofLength: read.count, reading: read),
      compressed.positions(read.indices, ofLength: read.count, reading: read)
    )
    scored = start - 1..<read.count
    states = (reference.embedded(read), compressed.embedded(read))
    last = states.reference
  }

  /// Goes through all blocks.
  ///
  /// - Parameters:
  ///   - pace: Of all of it.
  ///   - tell: Called with what is found at each place, in order; the embedding is left out where it is the same.
  /// - Throws: ``InferenceError/cancelled``, or ``InferenceError/notFinite(place:)``.
  public mutating func run(pace: Pace, tell: (Found) -> Void) throws(InferenceError) {
    let blocks = reference.runningBlocks
    // The way to the end gets shorter from block to block; each also runs three times by itself.
    let shares = (0...blocks.count).map { Double(blocks.count - $0) + 4 }
    let whole = shares.reduce(0, +) + Double(blocks.count)
    var done = Double(blocks.count) / whole
    var end = last
    try goOn(&end, from: 0, pace: pace.part(from: 0, to: done))
    last = end
    if states.compressed.values != states.reference.values {
      let share = pace.part(from: done, to: done + shares[0] / whole)
      tell(
        try found(
          at: .embedding, error: relativeError(of: states.compressed), own: nil, next: 0,
          pace: share))
    }
    done += shares[0] / whole
    for (place, block) in blocks.enumerated() {
      let end = done + shares[place + 1] / whole
      let pace = pace.part(from: done, to: end)
      done = end
      let own = try advance(through: block, pace: pace.part(from: 0, to: 3 / shares[place + 1]))
      tell(
        try found(
          at: .block(block), error: relativeError(of: states.compressed), own: own,
          next: place + 1, pace: pace.part(from: 3 / shares[place + 1], to: 1)))
    }
    let (divergence, parting) = try comparison(of: states.compressed, through: compressed)
    tell(
      Found(
        place: .head, relativeError: nil, ownError: nil, divergence: divergence, parting: parting))
  }

  /// Runs both models through their block.
  ///
  /// - Returns: The relative error of the compressed one's, reading what the reference reads.
  private mutating func advance(through block: Int, pace: Pace) throws(InferenceError) -> Double {
    var alone = states.reference
    try reference.run(
      wholeBlock: block, on: &states.reference, positions.reference, cacheType: cacheType,
      sharing: &shared.reference, pace: pace.part(0, of: 3))
    try compressed.run(
      wholeBlock: block, on: &alone, positions.compressed, cacheType: cacheType,
      sharing: &shared.alone, pace: pace.part(1, of: 3))
    try compressed.run(
      wholeBlock: block, on: &states.compressed, positions.compressed, cacheType: cacheType,
      sharing: &shared.compressed, pace: pace.part(2, of: 3))
    return relativeError(of: alone)
  }

  /// What becomes of the compressed model's states when the reference goes on with them.
  private mutating func found(
    at place: Place, error: Double, own: Double?, next: Int, pace: Pace
  ) throws(InferenceError) -> Found {
    var hidden = states.compressed
    var (divergence, parting): (Double, Int?) = (0, nil)
    // Of equal states all that follows is equal.
    if hidden.values != states.reference.values {
      try goOn(&hidden, from: next, pace: pace)
      (divergence, parting) = try comparison(of: hidden, through: reference)
    }
    return Found(
      place: place, relativeError: error, ownError: own, divergence: divergence, parting: parting)
  }

  /// Runs states through the reference's blocks from one on.
  private func goOn(_ hidden: inout Matrix, from next: Int, pace: Pace) throws(InferenceError) {
    // Blocks that read the keys of an earlier one read those that the compressed model left.
    var shared = shared.compressed
    for (block, pace) in pace.parts(reference.runningBlocks.dropFirst(next)) {
      try reference.run(
        wholeBlock: block, on: &hidden, positions.reference, cacheType: cacheType,
        sharing: &shared, pace: pace)
    }
  }

  /// Mean KLD from the reference over the answer, and the first token at which another one is the most probable.
  private mutating func comparison(
    of hidden: Matrix, through model: Decoder
  ) throws(InferenceError) -> (divergence: Double, parting: Int?) {
    var (sum, parting): (Double, Int?) = (0, nil)
    let length = reference.positionsAtHead
    let keeps = scored.count * reference.description.vocabularySize <= Self.keptLogits
    for start in stride(from: scored.lowerBound, to: scored.upperBound, by: length) {
      let rows = start..<min(start + length, scored.upperBound)
      var expected = Array(self.expected.dropFirst(start - scored.lowerBound).prefix(rows.count))
      if expected.isEmpty {
        expected = try logits(of: last, at: rows, through: reference)
        if keeps { self.expected += expected }
      }
      for (row, (expected, found)) in zip(
        expected, try logits(of: hidden, at: rows, through: model)
      ).enumerated() {
        sum += expected.divergence(to: found)
        if parting == nil, expected.best != found.best { parting = start + row - scored.lowerBound }
      }
    }
    return (sum / Double(scored.count), parting)
  }

  private func logits(
    of hidden: Matrix, at rows: Range<Int>, through model: Decoder
  ) throws(InferenceError) -> [Logits] {
    let logits = model.logits(of: model.headInputs(hidden.rows(rows)))
    if let row = logits.firstNonFiniteRow {
      throw .notFinite(place: "after \(rows.lowerBound + row + 1) tokens")
    }
    return (0..<logits.rows).map { Logits(Array(logits.row($0))) }
  }

  /// Of hidden states from the reference's, over the rows that predict the answer.
  private func relativeError(of hidden: Matrix) -> Double {
    var (noise, signal) = (0.0, 0.0)
    for row in scored {
      for (found, expected) in zip(hidden.row(row), states.reference.row(row)) {
        let error = Double(found) - Double(expected)
        noise += error * error
        signal += Double(expected) * Double(expected)
      }
    }
    return signal > 0 ? (noise / signal).squareRoot() : 0
  }
}
