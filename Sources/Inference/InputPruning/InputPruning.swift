import Checkpoints
import Synchronization
import Tensors

/// Small inputs of o_proj and down_proj that count as zero while a model runs, so that columns of these layers are not read.
///
/// Each layer has a threshold of its own, below which a share of its inputs lies on a calibration text. Source: Liu et al.,
/// Training-Free Activation Sparsity in Large Language Models (2024), for the layers whose inputs are smallest compared
/// to their largest ones.
public struct InputPruning: Sendable {
  /// Of each layer's inputs on the calibration text, those below the threshold, 0...1.
  public let share: Double
  /// By site; layers at other sites read all.
  let thresholds: [InputSite: Float]
  /// Codes of the model that it was made for, where not reading some of them pays.
  private(set) var columns: [InputSite: ColumnCodes]
  private let revision: Decoder.Revision
  private var tally = InputTally()

  /// - Parameters:
  ///   - decoder: The model whose inputs count as zero.
  ///   - share: Of the inputs, those that the thresholds were chosen for.
  ///   - thresholds: By site.
  init(of decoder: Decoder, share: Double, thresholds: [InputSite: Float]) {
    self.share = share
    self.thresholds = thresholds
    revision = decoder.revision
    columns = [:]
    for site in thresholds.keys {
      guard let layer = decoder.pruned(at: site) else { continue }
      columns[site] = ColumnCodes(layer, leavingOut: share, on: decoder.pool)
    }
  }

  /// Whether it was made for these weights.
  public func isMade(for decoder: Decoder) -> Bool { revision === decoder.revision }

  /// The same thresholds for a model whose weights may be others, with sparsity counted anew.
  public func anew(for decoder: Decoder) -> InputPruning {
    var pruning = self
    pruning.tally = InputTally()
    if !isMade(for: decoder) { pruning.columns = [:] }
    return pruning
  }

  /// The share of inputs that counted as zero so far; nil before there were any.
  public var sparsity: Double? { tally.sparsity }

  /// Bytes that codes take once more for it.
  public var byteCount: Int { columns.values.reduce(0) { $0 + $1.byteCount } }

  func count(active: Int, of inputs: Int) { tally.count(active: active, of: inputs) }
}

/// Counts inputs that multiply, across copies of a decoder.
private final class InputTally: Sendable {
  private let counts = Mutex((active: 0, all: 0))

  func count(active: Int, of inputs: Int) {
    counts.withLock {
      $0.active += active
      $0.all += inputs
    }
  }

  var sparsity: Double? {
    counts.withLock { $0.all > 0 ? 1 - Double($0.active) / Double($0.all) : nil }
  }
}

extension Decoder {
  /// The layer that reads alone at a site whose inputs can be pruned; nil at others.
  fileprivate func pruned(at site: InputSite) -> LayerWeights? {
    switch site {
    case .attentionOutput(let block): return blocks[block].attentionOutput.weights.first
    case .feedForwardOutput(let block):
      guard case .dense(_, _, let down) = blocks[block].feedForward else { return nil }
      return down.weights.first
    default: return nil
    }
  }

  /// What a layer that reads alone at a site computes; small inputs count as zero where that is asked for.
  func outputs(of inputs: Matrix, through layer: Projection, at site: InputSite?) -> Matrix {
    guard let pruning = inputPruning, let site, let threshold = pruning.thresholds[site] else {
      return layer.outputs(of: inputs, on: pool, arithmetic)
    }
    guard inputs.rows == 1, let columns = pruning.columns[site] else {
      var kept = inputs
      pruning.count(active: kept.prune(below: threshold), of: kept.values.count)
      return layer.outputs(of: kept, on: pool, arithmetic)
    }
    var (outputs, active) = pool.product(
      of: inputs, with: columns, leavingOutBelow: threshold, arithmetic)
    if let bias = layer.bias { outputs.addToRows(bias) }
    pruning.count(active: active, of: inputs.columns)
    return outputs
  }
}
