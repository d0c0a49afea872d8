import Checkpoints
import Compression

/// Over how many GPUs a server spreads a model: rows and heads over those of a node, blocks over nodes.
///
/// Sources: vLLM's documentation, "Parallelism and Scaling"; heads that fewer GPUs than they are share, and key and value
/// heads that more GPUs than they are repeat, as in `vllm/model_executor/layers/linear.py` (0.32).
public struct ParallelSizes: Hashable, Sendable {
  /// GPUs that share each row.
  public let tensor: Int
  /// Groups of these that share the blocks.
  public let pipeline: Int

  public init(tensor: Int, pipeline: Int) { (self.tensor, self.pipeline) = (tensor, pipeline) }

  /// GPUs in all.
  public var count: Int { tensor * pipeline }

  /// Arguments of `vllm serve`.
  public var arguments: [String] {
    ["--tensor-parallel-size", String(tensor), "--pipeline-parallel-size", String(pipeline)]
      // Within a node processes suffice; over several nodes Ray starts them.
      + (pipeline > 1 ? ["--distributed-executor-backend", "ray"] : [])
  }

  /// The fewest GPUs that hold a model, and of equally many those of one node first; nil where all do not hold it.
  ///
  /// - Parameters:
  ///   - fit: The model on one GPU.
  ///   - splits: Sizes that the model can be split into within a node: ``sizes(of:schemes:upTo:)``.
  ///   - nodes: Most nodes.
  ///   - blocks: Of the model: a node has one at least.
  public init?(holding fit: Fit, splits: [Int], nodes: Int, blocks: Int) {
    let room = fit.machine.memory - fit.memory.working - fit.memory.reserved
    let heads = fit.model.facts?.blocks.map(\.keyHeads).max() ?? 1
    let all = (1...max(1, min(nodes, max(blocks, 1)))).flatMap { pipeline in
      splits.map { ParallelSizes(tensor: $0, pipeline: pipeline) }
    }
    let holding = all.filter { sizes in
      let weights = fit.memory.weights / sizes.count
      // Heads that more GPUs than they are need are on each of them.
      let cache = fit.memory.cache / (sizes.pipeline * min(sizes.tensor, max(heads, 1)))
      return weights + cache + fit.memory.states / sizes.count <= room
    }
    guard let least = holding.min(by: { ($0.count, $0.pipeline) < ($1.count, $1.pipeline) }) else {
      return nil
    }
    self = least
  }

  /// Powers of two that GPUs of a node may share rows by, rising: each gets whole heads and whole groups of weights.
  ///
  /// - Parameters:
  ///   - model: What is served.
  ///   - schemes: Of its layers, in order.
  ///   - gpus: Of a node.
  /// - Returns: 1 and those that follow.
  public static func sizes(of model: ModelDescription, schemes: [Scheme], upTo gpus: Int) -> [Int] {
    let attention = (model.blueprint?.blocks ?? []).compactMap(\.attention)
    var sizes = [1]
    while let last = sizes.last, last * 2 <= gpus, isWhole(last * 2) { sizes.append(last * 2) }
    return sizes

    func isWhole(_ size: Int) -> Bool {
      attention.allSatisfy { facts in
        facts.headCount % size == 0
          && (facts.keyValueHeadCount % size == 0 || size % facts.keyValueHeadCount == 0)
      }
        && zip(model.layers, schemes).allSatisfy { layer, scheme in
          // Of these two roles each GPU has a part of every row.
          guard [.attentionOutput, .down].contains(layer.role) else { return true }
          guard case .size(let group)? = scheme.quantization?.group else {
            return layer.columns % size == 0
          }
          return layer.columns % (size * group) == 0
        }
    }
  }
}
