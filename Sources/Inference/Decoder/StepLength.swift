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

/// Multiplications that a block takes for one position.
struct BlockWork: Sendable {
  /// Of the layers around attention.
  private(set) var attention = 0
  /// Of attention itself for each position that is seen.
  private(set) var perPosition = 0
  /// Of the feed-forward half, but for its last layer; more than that where there are experts.
  private(set) var inputs = 0
  /// Of the last layer.
  private(set) var output = 0

  /// Of each block of a model.
  static func all(of model: ModelDescription, _ blueprint: Blueprint) -> [BlockWork] {
    var blocks = blueprint.blocks.map { BlockWork($0.mixer) }
    for layer in model.layers {
      guard let block = layer.block, blocks.indices.contains(block) else { continue }
      switch layer.site {
      case .attention?, .queryUp?, .latentUp?, .attentionOutput?:
        blocks[block].attention += layer.parameters
      case .feedForwardOutput?: blocks[block].output += layer.parameters
      default: blocks[block].inputs += layer.parameters
      }
    }
    return blocks
  }

  private init(_ mixer: MixerFacts) {
    switch mixer {
    case .attention(let attention): perPosition = 2 * attention.queryWidth
    // The state is decayed, asked, changed and asked again.
    case .delta, .convolution, .mamba: attention = 4 * mixer.stateValues
    }
  }

  /// Weights of all layers.
  var weights: Int { attention + inputs + output }
}

extension Decoder {
  /// Weights of a block's layers, each of which is multiplied once a position; more than that where there are experts.
  func weights(ofBlock block: Int) -> Int { work[block].weights }

  /// Weights of all blocks that run.
  var blockWeights: Int { runningBlocks.reduce(0) { $0 + weights(ofBlock: $1) } }

  /// Weights of the head.
  var headWeights: Int { description.vocabularySize * description.hiddenSize }

  /// Positions whose logits one step computes.
  var positionsAtHead: Int { StepLength.positions(forWeights: headWeights) }
}
