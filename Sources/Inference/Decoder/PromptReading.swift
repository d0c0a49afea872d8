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
    var left = StepLength.work
    while let block = blocks.first {
      let work = hidden.rows * nextWork(of: decoder.work[block])
      // What does not fit begins the next step, unless this one has done nothing yet.
      guard work <= left || left == StepLength.work || hidden.rows == 1 else { break }
      left -= work
      let held = decoder.cacheBlock(of: block)
      advance(through: block, using: decoder, cache: &cache.blocks[held])
    }
    if blocks.isEmpty { cache.advance(by: hidden.rows) }
    return blocks.isEmpty
  }

  /// Multiplications that the next part of a block takes for each row.
  private func nextWork(of block: BlockWork) -> Int {
    switch stage {
    case .attention: block.attention + block.perPosition * positions.range.upperBound
    case .feedForward: block.inputs
    case .output: block.output
    }
  }

  /// Does what comes next in a block.
  private mutating func advance(
    through block: Int, using decoder: Decoder, cache: inout BlockCache
  ) {
    switch stage {
    case .attention:
      decoder.attend(block: block, on: &hidden, positions, cache: &cache)
      stage = .feedForward
    case .feedForward:
      if let read = decoder.outputInputs(ofBlock: block, hidden) {
        stage = .output(read)
      } else {
        decoder.feedForward(block: block, on: &hidden, positions)
        finishBlock()
      }
    case .output(let read):
      decoder.addOutput(ofBlock: block, reading: read, to: &hidden, positions)
      finishBlock()
    }
  }

  private mutating func finishBlock() {
    blocks.removeFirst()
    stage = .attention
  }
}
