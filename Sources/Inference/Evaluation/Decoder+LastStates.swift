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
  ///   - observer: Sees what layers read.
  /// - Returns: Tokens x hidden size.
  /// - Throws: ``InferenceError`` for ids outside the vocabulary.
  func lastStates(
    of tokens: [Int], cacheType: CacheType = .f32, pace: Pace = .unwatched,
    observer: Observer = { _ in }
  ) throws(InferenceError) -> Matrix {
    try check(tokens)
    var hidden = embedded(tokens)
    let positions = positions(tokens.indices, ofLength: tokens.count, reading: tokens)
    var shared: [Int: BlockCache] = [:]
    for (block, pace) in pace.parts(runningBlocks) {
      try run(
        wholeBlock: block, on: &hidden, positions, cacheType: cacheType, sharing: &shared,
        pace: pace, observer: observer)
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
  ///   - shared: Caches that later blocks read as well, by the block that wrote them.
  ///   - pace: Of the block.
  ///   - observer: Sees what layers read.
  /// - Throws: ``InferenceError/cancelled``.
  func run(
    wholeBlock block: Int, on hidden: inout Matrix, _ positions: Positions, cacheType: CacheType,
    sharing shared: inout [Int: BlockCache], pace: Pace, observer: Observer = { _ in }
  ) throws(InferenceError) {
    let length = StepLength.positions(forWeights: weights(ofBlock: block))
    let other = shared[cacheBlock(of: block)]
    var cache = makeBlockCache(block, as: cacheType)
    for start in stride(from: 0, to: hidden.rows, by: length) {
      let rows = start..<min(start + length, hidden.rows)
      var part = hidden.rows(rows)
      if let other { cache = other.prefix(rows.upperBound) }
      run(block: block, on: &part, positions.part(rows), cache: &cache, observer: observer)
      hidden.replaceRows(from: start, by: part)
      try pace.advance(to: Double(rows.upperBound) / Double(hidden.rows))
    }
    if isCacheShared(ofBlock: block) { shared[block] = cache }
  }
}
