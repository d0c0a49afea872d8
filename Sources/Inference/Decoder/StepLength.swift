import Checkpoints

/// How much of a text a step takes: some tens of milliseconds, so that whoever waits is soon heard, and yet so many positions
/// that decoding weights for them takes little of it.
enum StepLength {
  /// Multiplications of a step: about 25 ms of two cores with AVX-512, and 50 ms with AVX2.
  static let work = 6_000_000_000
  private static let leastPositions = 48

  /// Positions, a multiple of 16, that layers of so many weights multiply with.
  static func positions(forWeights weights: Int) -> Int {
    max(work / max(weights, 1) / 16 * 16, leastPositions)
  }
}

extension Decoder {
  /// Weights of a block's layers, each of which is multiplied once a position; more than that where there are experts.
  func weights(ofBlock block: Int) -> Int {
    description.layers.reduce(0) { $1.block == block ? $0 + $1.parameters : $0 }
  }

  /// Multiplications that a block takes for one position, which attends to so many.
  func work(ofBlock block: Int, at position: Int) -> Int {
    weights(ofBlock: block) + 2 * blueprint.blocks[block].attention.queryWidth * position
  }

  /// Positions whose logits one step computes.
  var positionsAtHead: Int {
    StepLength.positions(forWeights: description.vocabularySize * description.hiddenSize)
  }
}
