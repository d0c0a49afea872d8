import Allocation
import Checkpoints
import Compression
import Inference
import Tensors
import Work

/// The trials of one layer: all schemes on the sampled rows of one expert, then on those of the next.
struct LayerTrials {
  private let number: Int
  private let layers: ModelLayers
  private let matrix: LayerWeights
  private let fisher: LayerFisher
  private let candidates: [Scheme]
  /// For each candidate, what it made of the rows so far.
  private var outcomes: [Outcome] = []
  private var before: [Float] = []

  private struct Outcome {
    let trial: LayerTrial
    var after: [Float] = []
    /// For each row what is left of errors that cancel; nil for schemes that let none cancel.
    var cancellation: [Double]?
  }

  /// Trials of those candidates that the layer can hold.
  init(
    _ number: Int, of layers: ModelLayers, _ fisher: LayerFisher, _ candidates: [Scheme]
  ) throws(WorkFailure) {
    self.number = number
    self.layers = layers
    self.fisher = fisher
    let shape = layers.shapes[number]
    self.candidates = candidates.filter { scheme in
      do throws(PlanError) {
        try scheme.validated(for: shape)
        return true
      } catch {
        return false
      }
    }
    matrix = try layers.matrix(of: number)
  }

  /// Tries all candidates.
  ///
  /// - Parameters:
  ///   - inputs: What the layer reads; factors that are made stay with them.
  ///   - pace: Of all trials.
  /// - Returns: What each costs.
  /// - Throws: ``WorkFailure`` for weights that are no numbers, and when the pace ends it.
  mutating func run(
    with inputs: inout SiteInputs, pace: Pace
  ) throws(WorkFailure) -> LayerCosts {
    let shape = layers.shapes[number]
    let rows: TrialRows
    do {
      rows = try TrialRows(
        of: matrix, layer: shape.name, fisher: fisher, pace: pace.part(from: 0, to: 0.1))
    } catch {
      throw WorkFailure(error)
    }
    let parts = Self.parts(of: rows.rows, experts: inputs.fit?.experts.count ?? 0, shape)
    for (part, pace) in pace.part(from: 0.1, to: 1).parts(parts) {
      for (candidate, pace) in pace.parts(candidates.indices) {
        let factor = try inputs.factor(
          for: candidates[candidate], ofExpert: part.expert, pace: pace.part(from: 0, to: 0.5))
        do {
          try tryCandidate(candidate, on: part.rows, of: part.expert, inputs, factor)
        } catch {
          throw WorkFailure(error)
        }
        try pace.tick(1)
      }
    }
    return costs(rows)
  }

  /// Rows by the expert that they belong to; all of them together where experts read alike.
  private static func parts(
    of rows: [Int], experts: Int, _ shape: LayerShape
  ) -> [(expert: Int?, rows: [Int])] {
    guard experts > 0 else { return [(nil, rows)] }
    let height = shape.rows / experts
    return Dictionary(grouping: rows) { $0 / height }.sorted { $0.key < $1.key }
      .map { (expert: $0.key, rows: $0.value) }
  }

  private mutating func tryCandidate(
    _ candidate: Int, on rows: [Int], of expert: Int?, _ inputs: SiteInputs,
    _ factor: HessianFactor?
  ) throws(CompressionError) {
    let scheme = candidates[candidate]
    if outcomes.count == candidate {
      let trial = try LayerTrial(
        matrix: matrix, shape: layers.shapes[number], scheme: scheme,
        profile: layers.profiles[number], statistics: inputs.fit, factor: factor)
      let isScored = scheme.calibrationNeed == .gram && inputs.score.map(\.hasGrams) == true
      outcomes.append(Outcome(trial: trial, cancellation: isScored ? [] : nil))
    }
    let found = outcomes[candidate].trial.compressed(rows: rows, factor: factor)
    outcomes[candidate].after += found.after.values
    if outcomes[candidate].cancellation != nil {
      let gram = inputs.score?.gram(ofExpert: expert)
      outcomes[candidate].cancellation? +=
        gram.map { TrialRows.cancellation(before: found.before, after: found.after, gram: $0) }
        ?? rows.map { _ in 1 }
    }
    if candidate == candidates.count - 1 { before += found.before.values }
  }

  /// What was found.
  private func costs(_ rows: TrialRows) -> LayerCosts {
    let (layer, shape) = (layers.description.layers[number], layers.shapes[number])
    func matrix(_ values: [Float]) -> Matrix {
      Matrix(rows: rows.rows.count, columns: shape.columns, values: values)
    }
    let trials = zip(candidates, outcomes).map { scheme, outcome in
      let found = rows.divergence(
        before: matrix(before), after: matrix(outcome.after), cancellation: outcome.cancellation)
      let size = LayerSize.predicted(
        for: shape, scheme: scheme, original: layers.originalBytes(of: number))
      return SchemeTrial(
        scheme: scheme, bytes: size.total, divergence: found.value,
        standardError: found.standardError)
    }
    return LayerCosts(
      layer: layer.name, role: layer.role, originalBytes: layer.bytes, energy: rows.energy,
      fisher: fisher, trials: trials)
  }
}

extension InputStatistics {
  /// Whether second moments of pairs are known, of all that is read or of what some expert reads.
  fileprivate var hasGrams: Bool { gram != nil || experts.contains { $0?.gram != nil } }
}
