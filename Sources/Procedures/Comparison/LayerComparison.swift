import Checkpoints
import Tensors
import Work

/// How the layers of two checkpoints of one model differ, found without loading either: rows of one layer of each are in
/// memory at a time.
public struct LayerComparison {
  /// A layer in both checkpoints.
  public struct Pair {
    public let reference: LayerDescription
    public let open: LayerDescription
  }

  /// Weights of either checkpoint that are decoded between two ticks.
  private static let weightsASlice = 1 << 19

  private let reference: Checkpoint
  private let open: Checkpoint
  /// In the order of the second checkpoint.
  public let pairs: [Pair]

  /// - Parameters:
  ///   - open: The checkpoint that is looked at.
  ///   - reference: The one that it is compared with.
  /// - Throws: ``WorkFailure`` when they are not the same model, or a norm is damaged.
  public init(of open: Checkpoint, with reference: Checkpoint) throws(WorkFailure) {
    (self.open, self.reference) = (open, reference)
    // Layers are looked at one by one; norms, which are not compared, may be damaged too.
    if let damaged = (reference.damagedVectors() + open.damagedVectors()).first {
      throw WorkFailure(sentence: damaged)
    }
    pairs = try Self.pairs(of: reference.description, open.description)
  }

  /// The energies of a layer's weights and of their difference.
  ///
  /// - Throws: ``WorkFailure`` when weights cannot be read or are no numbers, and when the pace ends it.
  public func energies(
    of pair: Pair, pace: Pace
  ) throws(WorkFailure) -> (signal: Double, noise: Double) {
    let weights: (reference: LayerWeights, open: LayerWeights)
    do {
      weights = (
        try reference.matrix(of: pair.reference.name), try open.matrix(of: pair.open.name)
      )
    } catch {
      throw WorkFailure(error)
    }
    var (signal, noise) = (0.0, 0.0)
    let length = max(1, Self.weightsASlice / pair.open.columns)
    for start in stride(from: 0, to: pair.open.rows, by: length) {
      let rows = start..<min(start + length, pair.open.rows)
      let (before, after) = (
        weights.reference.decoded(rows: rows), weights.open.decoded(rows: rows)
      )
      for row in 0..<rows.count {
        let sums = before.comparison(ofRow: row, with: after)
        signal += sums.signal
        noise += sums.noise
      }
      guard signal.isFinite, noise.isFinite else { throw flaw(of: pair) }
      try pace.tick(Double(rows.upperBound) / Double(pair.open.rows))
    }
    weights.reference.releasePages()
    weights.open.releasePages()
    return (signal, noise)
  }

  /// What is wrong with a layer of which an energy is no number.
  private func flaw(of pair: Pair) -> WorkFailure {
    do throws(CheckpointError) {
      try reference.checkFinite(pair.reference.name)
      try open.checkFinite(pair.open.name)
    } catch {
      return WorkFailure(error)
    }
    return WorkFailure(
      sentence: "\(pair.open.name): its weights are too large for their error to be told")
  }

  private static func pairs(
    of reference: ModelDescription, _ open: ModelDescription
  ) throws(WorkFailure) -> [Pair] {
    func differs(_ how: String) -> WorkFailure {
      WorkFailure(
        sentence: "\(reference.path) and \(open.path) are not the same model: \(how); compare "
          + "checkpoints of one model, neither of them pruned to other shapes")
    }
    var known = Dictionary(
      reference.layers.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    var pairs: [Pair] = []
    for layer in open.layers {
      guard let other = known.removeValue(forKey: layer.name) else {
        throw differs("the first has no layer \(layer.name)")
      }
      guard (other.rows, other.columns) == (layer.rows, layer.columns) else {
        throw differs(
          "\(layer.name) is \(other.rows) x \(other.columns) in the first and "
            + "\(layer.rows) x \(layer.columns) in the second")
      }
      pairs.append(Pair(reference: other, open: layer))
    }
    if let other = reference.layers.first(where: { known[$0.name] != nil }) {
      throw differs("the second has no layer \(other.name)")
    }
    return pairs
  }
}
