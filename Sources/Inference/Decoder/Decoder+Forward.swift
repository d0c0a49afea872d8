import Checkpoints
import Tensors

/// Which logits a forward pass computes.
public enum WantedLogits: Hashable, Sendable {
  /// None: the pass only fills the cache.
  case none
  /// Those after the last token.
  case last
  /// Those after every token.
  case all
}

/// Vectors that layers read at a site, one a row.
struct SiteInputs {
  let site: InputSite
  /// The expert that reads them; nil where all tokens are read by the same layers.
  var expert: Int?
  let vectors: Matrix
  /// The rows of the pass that they come from; nil for all in order.
  var rows: [Int]?
  /// What an expert makes of them, and how much that counts for each.
  var outputs: (vectors: Matrix, weights: [Float])?
}

extension Decoder {
  /// Sees what layers read while blocks run.
  typealias Observer = (SiteInputs) -> Void

  /// Reads tokens that follow what the cache holds.
  ///
  /// The time it takes grows with the tokens: give long prompts in chunks.
  /// - Returns: A row of `vocabularySize` logits for each token that logits are wanted after.
  /// - Throws: ``InferenceError`` for ids outside the vocabulary and beyond the context; then the cache is unchanged.
  public func forward(
    tokens: [Int], cache: inout KeyValueCache, wants: WantedLogits
  ) throws(InferenceError) -> Matrix {
    var reading = try PromptReading(tokens, after: cache, decoder: self)
    while !reading.step(using: self, cache: &cache) {}
    switch wants {
    case .none: return Matrix(rows: 0, columns: description.vocabularySize)
    case .last: return lastLogits(of: reading.hidden)
    case .all: return logits(of: headInputs(reading.hidden))
    }
  }

  /// The logits after the last of some tokens, given what the last block made of them.
  func lastLogits(of hidden: Matrix) -> Matrix {
    logits(of: headInputs(hidden.rows(hidden.rows - 1..<hidden.rows)))
  }

  /// The hidden states that the first block reads, one row a token.
  func embedded(_ tokens: [Int]) -> Matrix {
    var states = embedding.decoded(rows: tokens)
    if blueprint.embeddingScale != 1 { states.scale(by: blueprint.embeddingScale) }
    return states
  }

  /// Consecutive positions of a sequence of `length` tokens: what they do to queries and keys, and the tokens there.
  func positions(
    _ range: Range<Int>, ofLength length: Int, reading tokens: [Int] = []
  ) -> Positions {
    Positions(
      range: range, tokens: tokens, rotations: rotary.rotations(at: range, ofLength: length))
  }

  /// Whether positions turn queries and keys alike in sequences of two lengths.
  func turnsAlike(lengths first: Int, _ second: Int) -> Bool {
    rotary.turnsAlike(lengths: first, second)
  }

  /// Runs consecutive positions of a sequence through one block.
  ///
  /// - Parameters:
  ///   - index: The block.
  ///   - hidden: One row a position; afterwards what the next block reads.
  ///   - positions: One for each row.
  ///   - cache: The keys and values of all positions before that this block reads; afterwards also of these, which another
  ///     block's have already.
  ///   - observer: Sees the inputs of the block's layers.
  func run(
    block index: Int, on hidden: inout Matrix, _ positions: Positions, cache: inout BlockCache,
    observer: Observer = { _ in }
  ) {
    attend(block: index, on: &hidden, positions, cache: &cache, observer: observer)
    feedForward(block: index, on: &hidden, positions, observer: observer)
  }

  /// Shows what a block's layers read, and leaves out what nobody reads then: the outputs of the last ones.
  ///
  /// - Parameters: as of ``run(block:on:_:cache:observer:)``; the hidden states are not changed.
  func observe(
    block index: Int, reading hidden: Matrix, _ positions: Positions, cache: inout BlockCache,
    observer: Observer
  ) {
    var hidden = hidden
    attend(block: index, on: &hidden, positions, cache: &cache, observer: observer)
    guard case .dense(let facts, let layers, _) = blocks[index].feedForward,
      blocks[index].perLayer == nil
    else {
      feedForward(block: index, on: &hidden, positions, observer: observer)
      return
    }
    let inputs = inputs(of: hidden, under: .feedForwardNorm, in: blocks[index])
    observer(SiteInputs(site: .feedForward(block: index), vectors: inputs))
    let inner = innerActivations(
      of: inputs, activation: facts.activation, isGated: facts.isGated, layers
    ).inner
    observer(SiteInputs(site: .feedForwardOutput(block: index), vectors: inner))
  }

  /// What the head reads of hidden states: the final norm's output.
  func headInputs(_ hidden: Matrix) -> Matrix { normalized(hidden, by: finalNorm) }

  /// A row of `vocabularySize` logits for each row that the head reads.
  func logits(of headInputs: Matrix) -> Matrix {
    var logits = pool.products(of: headInputs, with: [head ?? embedding], arithmetic)
    if blueprint.logitScale != 1 { logits.scale(by: blueprint.logitScale) }
    if let cap = blueprint.logitSoftcap { logits.softcap(cap) }
    return logits
  }

  /// Hidden states under a norm.
  func normalized(_ hidden: Matrix, by norm: Norm) -> Matrix {
    switch blueprint.norm {
    case .rms: hidden.rmsNormalized(by: norm.weights, epsilon: epsilon)
    case .layer: hidden.layerNormalized(by: norm.weights, bias: norm.bias, epsilon: epsilon)
    }
  }

  var epsilon: Float { Float(blueprint.normEpsilon) }
}
