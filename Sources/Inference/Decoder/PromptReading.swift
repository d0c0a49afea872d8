import Tensors

/// A part of a text on its way through a model, block by block.
struct PromptReading: Sendable {
  /// What the next block reads, one row a token.
  private(set) var hidden: Matrix
  private let positions: Positions
  /// The blocks that have not read it.
  private var blocks: ArraySlice<Int>
  private let blockCount: Int

  /// - Throws: ``InferenceError`` for ids outside the vocabulary and beyond the context.
  init(
    _ tokens: [Int], after cache: KeyValueCache, decoder: Decoder
  ) throws(InferenceError) {
    try decoder.check(tokens, cache)
    hidden = decoder.embedded(tokens)
    positions = decoder.positions(
      cache.count..<cache.count + tokens.count, ofLength: cache.expectedCount)
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
    while work > 0 || hidden.rows == 1, let block = blocks.popFirst() {
      decoder.run(block: block, on: &hidden, positions, cache: &cache.blocks[block])
      work -= hidden.rows * decoder.work(ofBlock: block, at: positions.range.upperBound)
    }
    if blocks.isEmpty { cache.advance(by: hidden.rows) }
    return blocks.isEmpty
  }
}
