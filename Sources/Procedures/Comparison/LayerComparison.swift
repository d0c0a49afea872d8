import Checkpoints
import Compression
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

  /// What is found of a layer.
  public struct Difference {
    /// Sum of the squares of the reference's weights.
    public internal(set) var signal = 0.0
    /// Sum of the squares of the differences.
    public internal(set) var noise = 0.0
    /// KLD that the differences should cost, in nats a token; nil unless that was asked for.
    public internal(set) var divergence: Double?

    /// Length of the difference over that of the reference, both taken as vectors; nil for a reference of zeros only.
    public var relativeError: Double? { signal > 0 ? (noise / signal).squareRoot() : nil }
  }

  /// How the weights of a layer differ.
  ///
  /// - Parameters:
  ///   - pair: The layer.
  ///   - fisher: What predicts the KLD of its errors; nil leaves that open.
  ///   - pace: Hears how far it has come, and may end it.
  /// - Returns: Sums over all weights.
  /// - Throws: ``WorkFailure`` when weights cannot be read or are no numbers, and when the pace ends it.
  public func difference(
    of pair: Pair, fisher: LayerFisher? = nil, pace: Pace
  ) throws(WorkFailure) -> Difference {
    let weights: (reference: LayerWeights, open: LayerWeights)
    do {
      weights = (
        try reference.matrix(of: pair.reference.name), try open.matrix(of: pair.open.name)
      )
    } catch {
      throw WorkFailure(error)
    }
    var found = Difference()
    let fisher = fisher.flatMap { fisher in
      (fisher.outputs.count, fisher.inputs.count) == (pair.open.rows, pair.open.columns)
        ? fisher : nil
    }
    if fisher != nil { found.divergence = 0 }
    let length = max(1, Self.weightsASlice / pair.open.columns)
    for start in stride(from: 0, to: pair.open.rows, by: length) {
      let rows = start..<min(start + length, pair.open.rows)
      let (before, after) = (
        weights.reference.decoded(rows: rows), weights.open.decoded(rows: rows)
      )
      for row in 0..<rows.count {
        let sums = before.comparison(ofRow: row, with: after)
        found.signal += sums.signal
        found.noise += sums.noise
      }
      if let fisher {
        found.divergence? += fisher.divergences(before: before, after: after, rows: Array(rows))
          .reduce(0, +)
      }
      guard found.signal.isFinite, found.noise.isFinite else { throw flaw(of: pair) }
      try pace.tick(Double(rows.upperBound) / Double(pair.open.rows))
    }
    weights.reference.releasePages()
    weights.open.releasePages()
    return found
  }

  /// The name of a norm or bias that both have with other values; nil if all are alike.
  ///
  /// Formats may store a norm's weights less one, which is no difference.
  ///
  /// - Throws: ``WorkFailure`` when one cannot be read.
  public func differingVector() throws(WorkFailure) -> String? {
    let known = Set(reference.description.tensors.filter(\.isVector).map(\.name))
    for tensor in open.description.tensors where tensor.isVector && known.contains(tensor.name) {
      let values: (reference: [Float], open: [Float])
      do {
        values = (try reference.vector(named: tensor.name), try open.vector(named: tensor.name))
      } catch {
        throw WorkFailure(error)
      }
      guard values.reference.count == values.open.count else { return tensor.name }
      let differences = zip(values.reference, values.open).map { $0 - $1 }
      let limit = Self.vectorTolerance * max(values.reference.map(\.magnitude).max() ?? 0, 1e-3)
      let areAlike = [Float(0), 1, -1].contains { shift in
        differences.allSatisfy { ($0 - shift).magnitude <= limit }
      }
      if !areAlike { return tensor.name }
    }
    return nil
  }

  /// The share of a vector's largest value by which rounding to 16 bits may move another one of it.
  private static let vectorTolerance: Float = 0.01

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
