import Tensors

/// A part of a text on its way through a model, block by block.
struct PromptReading: Sendable {
  /// What the next block reads, one row a token.
  private(set) var hidden: Matrix
  private let positions: Positions
  /// The blocks that have not read it, the first of which may have begun.
  private var blocks: ArraySlice<Int>
  /// How far the first of them has come.
  private var stage = Stage.attention
  private let blockCount: Int

  /// What a block does next; each is a part of a step, so that a step of large layers is no longer than one of them.
  private enum Stage: Sendable {
    case attention, feedForward
    /// The last layer of a dense half, and what it reads.
    case output(Matrix)
  }

  /// - Throws: ``InferenceError`` for ids outside the vocabulary and beyond the context.
  init(
    _ tokens: [Int], after cache: KeyValueCache, decoder: Decoder
  ) throws(InferenceError) {
    try decoder.check(tokens, cache)
    hidden = decoder.embedded(tokens)
    positions = decoder.positions(
      cache.count..<cache.count + tokens.count, ofLength: cache.expectedCount, reading: tokens)
    blocks = decoder.runningBlocks[...]
    blockCount = blocks.count
  }

  /// Tokens of which as much is done as all tokens' way so far.
  var completedTokens: Int {
    hidden.rows * (blockCount - blocks.count) / max(blockCount, 1)
  }

  /// Goes on for a step's time; a single token goes all the way, so that its step is all of its time.
  ///
  /// - Returns: Whether all blocks have read the tokens; the cache then counts them.
  mutating func step(using decoder: Decoder, cache: inout KeyValueCache) -> Bool {
    var work = StepLength.work
    while work > 0 || hidden.rows == 1, let block = blocks.first {
      let held = decoder.cacheBlock(of: block)
      work -= hidden.rows * advance(through: block, using: decoder, cache: &cache.blocks[held])
    }
    if blocks.isEmpty { cache.advance(by: hidden.rows) }
    return blocks.isEmpty
  }

  /// Does what comes next in a block.
  ///
  /// - Returns: Multiplications that it took for each row.
  private mutating func advance(
    through block: Int, using decoder: Decoder, cache: inout BlockCache
  ) -> Int {
    let work = decoder.work[block]
    switch stage {
    case .attention:
      decoder.attend(block: block, on: &hidden, positions, cache: &cache)
      stage = .feedForward
      return work.attention + work.perPosition * positions.range.upperBound
    case .feedForward:
      if let read = decoder.outputInputs(ofBlock: block, hidden) {
        stage = .output(read)
        return work.inputs
      }
      decoder.feedForward(block: block, on: &hidden, positions)
      finishBlock()
      return work.inputs + work.output
    case .output(let read):
      decoder.addOutput(ofBlock: block, reading: read, to: &hidden, positions)
      finishBlock()
      return work.output
    }
  }

  private mutating func finishBlock() {
    blocks.removeFirst()
    stage = .attention
  }
}
