import Checkpoints
import Tensors

/// One window's way through a model, block by block, in steps of some positions.
struct WindowReader: Sendable {
  /// One row a position: what the next block reads, and after the last step what the final norm reads.
  private(set) var hidden: Matrix
  private let positions: Positions
  private let blocks: [Int]
  /// Of the current block among `blocks`.
  private var place = 0
  private var position = 0
  private var cache: BlockCache

  /// - Throws: ``InferenceError`` for ids outside the vocabulary.
  init(_ tokens: [Int], decoder: Decoder) throws(InferenceError) {
    try decoder.check(tokens)
    hidden = decoder.embedded(tokens)
    positions = decoder.positions(tokens.indices, ofLength: tokens.count)
    blocks = decoder.runningBlocks
    cache = BlockCache(width: 0)
  }

  /// Share of the way that is done: 0...1.
  var fractionCompleted: Double {
    guard place < blocks.count else { return 1 }
    return Double(place * hidden.rows + position) / Double(blocks.count * hidden.rows)
  }

  /// Runs some positions through the current block.
  ///
  /// - Returns: Whether there were any left.
  mutating func step(with decoder: Decoder) -> Bool {
    guard place < blocks.count else { return false }
    let length = StepLength.positions(forWeights: decoder.weights(ofBlock: blocks[place]))
    let positions = position..<min(position + length, hidden.rows)
    if position == 0 { cache = decoder.makeBlockCache(blocks[place]) }
    var part = hidden.rows(positions)
    decoder.run(
      block: blocks[place], on: &part, self.positions.part(positions), cache: &cache)
    hidden.replaceRows(from: position, by: part)
    position = positions.upperBound
    if position == hidden.rows {
      place += 1
      position = 0
    }
    return true
  }
}
