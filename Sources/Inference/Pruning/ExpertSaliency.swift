import Checkpoints
import Tensors
import Work

/// How much each expert of a mixture adds to the tokens that are sent to it: the mean of its weight times the length of its output.
///
/// Experts of least saliency are what REAP takes from a model; those that no token is sent to have none.
/// Source: Lasby and others, REAP the Experts (2025), https://arxiv.org/abs/2510.13999.
public struct ExpertSaliency: Sendable {
  /// A block's sums of weight times length, and tokens, by expert.
  private struct Sums {
    var products: [Double]
    var tokens: [Int]

    init(experts: Int) {
      products = Array(repeating: 0, count: experts)
      tokens = Array(repeating: 0, count: experts)
    }
  }

  /// By block, one for each expert; none for blocks without.
  public let scores: [Int: [Double]]

  /// Reads windows of tokens, each by itself.
  ///
  /// - Parameters:
  ///   - windows: Tokens as the model reads them, begin tokens included.
  ///   - decoder: The model.
  ///   - pace: Of all windows.
  /// - Throws: ``InferenceError`` for tokens that the model cannot read.
  public init(
    of windows: [[Int]], decoder: Decoder, pace: Pace = .unwatched
  ) throws(InferenceError) {
    var sums: [Int: Sums] = [:]
    for block in decoder.runningBlocks {
      if let experts = decoder.blocks[block].experts {
        sums[block] = Sums(experts: experts.facts.count)
      }
    }
    for (index, pace) in pace.parts(windows.indices) {
      _ = try decoder.lastStates(of: windows[index], pace: pace) { inputs in
        guard let block = inputs.site.block, let expert = inputs.expert,
          let outputs = inputs.outputs
        else { return }
        for (row, weight) in outputs.weights.enumerated() {
          let energy = outputs.vectors.row(row).reduce(0.0) { $0 + Double($1) * Double($1) }
          sums[block]?.products[expert] += Double(weight) * energy.squareRoot()
        }
        sums[block]?.tokens[expert] += outputs.weights.count
      }
    }
    scores = sums.mapValues { sums in
      zip(sums.products, sums.tokens).map { $1 == 0 ? 0 : $0 / Double($1) }
    }
  }
}
