import Checkpoints
import Tensors
import Work

extension Decoder {
  /// What the final norm reads of a window, which goes block by block, some positions at a time.
  ///
  /// - Parameters:
  ///   - tokens: The window, read from position 0.
  ///   - cacheType: What keys and values are held as.
  ///   - pace: Of the whole way.
  /// - Returns: Tokens x hidden size.
  /// - Throws: ``InferenceError`` for ids outside the vocabulary.
  func lastStates(
    of tokens: [Int], cacheType: CacheType = .f32, pace: Pace = .unwatched
  ) throws(InferenceError) -> Matrix {
    try check(tokens)
    var hidden = embedded(tokens)
    let positions = positions(tokens.indices, ofLength: tokens.count)
    for (block, pace) in pace.parts(runningBlocks) {
      try run(wholeBlock: block, on: &hidden, positions, cacheType: cacheType, pace: pace)
    }
    return hidden
  }

  /// Runs a whole sequence from position 0 through one block, some positions at a time.
  ///
  /// - Parameters:
  ///   - block: The block.
  ///   - hidden: One row a position; afterwards what the next block reads.
  ///   - positions: One for each row.
  ///   - cacheType: What keys and values are held as.
  ///   - pace: Of the block.
  /// - Throws: ``InferenceError/cancelled``.
  func run(
    wholeBlock block: Int, on hidden: inout Matrix, _ positions: Positions, cacheType: CacheType,
    pace: Pace
  ) throws(InferenceError) {
    let length = StepLength.positions(forWeights: weights(ofBlock: block))
    var cache = makeBlockCache(block, as: cacheType)
    for start in stride(from: 0, to: hidden.rows, by: length) {
      let rows = start..<min(start + length, hidden.rows)
      var part = hidden.rows(rows)
      run(block: block, on: &part, positions.part(rows), cache: &cache)
      hidden.replaceRows(from: start, by: part)
      try pace.advance(to: Double(rows.upperBound) / Double(hidden.rows))
    }
  }
}
