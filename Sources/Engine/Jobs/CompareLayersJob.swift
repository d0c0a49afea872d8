import Checkpoints
import Compression
import Glibc
import Tensors

/// Compares layers of the open model with those of another checkpoint, some rows a step.
///
/// Neither model is loaded: rows of one layer of each are in memory at a time.
struct CompareLayersJob: Job {
  /// Weights that one step decodes of either checkpoint.
  private static let weightsAStep = 1 << 19

  let id: JobID
  private let reference: Checkpoint
  /// Pairs of the layers in the reference and in the open model.
  private let pairs: [(reference: LayerDescription, open: LayerDescription)]
  private var differences: [LayerDifference] = []
  /// Rows of the next layer that are compared, and what they come to.
  private var row = 0
  private var (signal, noise) = (0.0, 0.0)
  private var meter: ProgressMeter

  /// - Throws: ``JobFailure`` when the reference cannot be opened, or is not the same model.
  init(
    id: JobID, request: LayerComparisonRequest, workspace: Workspace
  ) throws(JobFailure) {
    self.id = id
    do {
      reference = try Checkpoint.open(request.referencePath)
    } catch {
      throw JobFailure(error)
    }
    // Layers are looked at one by one; norms, which are not compared, may be damaged too.
    if let damaged = (reference.damagedVectors() + workspace.checkpoint.damagedVectors()).first {
      throw JobFailure(sentence: damaged)
    }
    let wanted = request.layers.map(Set.init)
    pairs = try Self.pairs(of: reference.description, workspace.description).filter {
      wanted?.contains($0.open.name) ?? true
    }
    meter = ProgressMeter(workLeft: Double(pairs.count), now: workspace.now())
  }

  func urgency(in workspace: Workspace) -> Urgency? { .background }

  var damage: CheckpointError? { reference.damage }

  mutating func step(in workspace: inout Workspace) throws(JobFailure) -> JobState {
    guard differences.count < pairs.count else {
      workspace.emit(.layersCompared(id, differences))
      return .finished
    }
    let pair = pairs[differences.count]
    let rows = row..<min(row + max(1, Self.weightsAStep / pair.open.columns), pair.open.rows)
    let weights: (reference: LayerWeights, open: LayerWeights)
    do {
      weights = (
        try reference.matrix(of: pair.reference.name),
        try workspace.checkpoint.matrix(of: pair.open.name)
      )
    } catch {
      throw JobFailure(error)
    }
    let (before, after) = (
      weights.reference.decoded(rows: rows), weights.open.decoded(rows: rows)
    )
    for row in 0..<rows.count {
      let sums = before.comparison(ofRow: row, with: after)
      signal += sums.signal
      noise += sums.noise
    }
    guard signal.isFinite, noise.isFinite else {
      do throws(CheckpointError) {
        try reference.checkFinite(pair.reference.name)
        try workspace.checkpoint.checkFinite(pair.open.name)
      } catch {
        throw JobFailure(error)
      }
      throw JobFailure(
        sentence: "\(pair.open.name): its weights are too large for their error to be told")
    }
    row = rows.upperBound
    if row == pair.open.rows {
      differences.append(difference(of: pair))
      (row, signal, noise) = (0, 0, 0)
      weights.reference.releasePages()
      weights.open.releasePages()
    }
    let progress = meter.report(
      completed: differences.count, of: pairs.count,
      workLeft: Double(pairs.count - differences.count), now: workspace.now())
    if let progress { workspace.emit(.jobProgress(id, progress)) }
    return .unfinished
  }

  private func difference(
    of pair: (reference: LayerDescription, open: LayerDescription)
  ) -> LayerDifference {
    let ratio = signal > 0 ? noise / signal : nil
    return LayerDifference(
      layer: pair.open.name,
      reference: .init(scheme: pair.reference.storedText, bytes: pair.reference.bytes),
      compared: .init(scheme: pair.open.storedText, bytes: pair.open.bytes),
      relativeError: ratio.map { $0.squareRoot() },
      sqnr: ratio.flatMap { $0 > 0 ? -10 * log10($0) : nil })
  }

  /// The layers of both models, in the order of the second.
  private static func pairs(
    of reference: ModelDescription, _ open: ModelDescription
  ) throws(JobFailure) -> [(reference: LayerDescription, open: LayerDescription)] {
    func differs(_ how: String) -> JobFailure {
      JobFailure(
        sentence: "\(reference.path) and \(open.path) are not the same model: \(how); compare "
          + "checkpoints of one model, neither of them pruned to other shapes")
    }
    var known = Dictionary(
      reference.layers.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    var pairs: [(reference: LayerDescription, open: LayerDescription)] = []
    for layer in open.layers {
      guard let other = known.removeValue(forKey: layer.name) else {
        throw differs("the first has no layer \(layer.name)")
      }
      guard (other.rows, other.columns) == (layer.rows, layer.columns) else {
        throw differs(
          "\(layer.name) is \(other.rows) x \(other.columns) in the first and "
            + "\(layer.rows) x \(layer.columns) in the second")
      }
      pairs.append((other, layer))
    }
    if let other = reference.layers.first(where: { known[$0.name] != nil }) {
      throw differs("the second has no layer \(other.name)")
    }
    return pairs
  }
}
