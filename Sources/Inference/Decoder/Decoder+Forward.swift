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

extension Decoder {
  /// Sees what layers read while blocks run: a site, and its vectors, one a position.
  typealias Observer = (InputSite, Matrix) -> Void

  /// Reads tokens that follow what the cache holds.
  ///
  /// The time it takes grows with the tokens: give long prompts in chunks.
  /// - Returns: A row of `vocabularySize` logits for each token that logits are wanted after.
  /// - Throws: ``InferenceError`` for ids outside the vocabulary and beyond the context; then the cache is unchanged.
  public func forward(
    tokens: [Int], cache: inout KeyValueCache, wants: WantedLogits
  ) throws(InferenceError) -> Matrix {
    let hidden = try read(tokens, cache: &cache)
    switch wants {
    case .none: return Matrix(rows: 0, columns: description.vocabularySize)
    case .last: return logits(of: headInputs(hidden.rows(hidden.rows - 1..<hidden.rows)))
    case .all: return logits(of: headInputs(hidden))
    }
  }

  /// Reads tokens that follow what the cache holds, and returns their hidden states after the last block.
  func read(_ tokens: [Int], cache: inout KeyValueCache) throws(InferenceError) -> Matrix {
    try check(tokens, cache)
    let rotations = rotations(at: cache.count..<cache.count + tokens.count)
    var hidden = embedded(tokens)
    for block in runningBlocks {
      run(block: block, on: &hidden, rotations: rotations, cache: &cache.blocks[block])
    }
    cache.advance(by: tokens.count)
    return hidden
  }

  /// The hidden states that the first block reads, one row a token.
  func embedded(_ tokens: [Int]) -> Matrix { embedding.decoded(rows: tokens) }

  /// How RoPE turns queries and keys at consecutive positions.
  func rotations(at positions: Range<Int>) -> [Rotation] {
    positions.map { rotary.rotation(at: $0) }
  }

  /// Runs consecutive positions of a sequence through one block.
  ///
  /// - Parameters:
  ///   - index: The block.
  ///   - hidden: One row a position; afterwards what the next block reads.
  ///   - rotations: One for each row.
  ///   - cache: This block's keys and values of all positions before; afterwards also of these.
  ///   - observer: Sees the four inputs of the block's layers.
  func run(
    block index: Int, on hidden: inout Matrix, rotations: [Rotation], cache: inout BlockCache,
    observer: Observer = { _, _ in }
  ) {
    attend(block: index, on: &hidden, rotations: rotations, cache: &cache, observer: observer)
    feedForward(block: index, on: &hidden, observer: observer)
  }

  /// What the head reads of hidden states: the final norm's output.
  func headInputs(_ hidden: Matrix) -> Matrix {
    hidden.rmsNormalized(by: finalNorm, epsilon: epsilon)
  }

  /// A row of `vocabularySize` logits for each row that the head reads.
  func logits(of headInputs: Matrix) -> Matrix {
    pool.products(of: headInputs, with: [head ?? embedding])
  }

  var epsilon: Float { Float(description.normEpsilon) }
}
