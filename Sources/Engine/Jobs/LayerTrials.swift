import Allocation
import Checkpoints
import Compression
import Inference
import Tensors

/// The trials of one layer: all schemes on the sampled rows of one expert, then on those of the next.
struct LayerTrials {
  private let number: Int
  private let matrix: LayerWeights
  private let fisher: LayerFisher
  private let candidates: [Scheme]
  private var sampler: TrialSampler
  private var rows: TrialRows?
  /// The sampled rows that are still to be tried, by the expert that they belong to; the next ones last.
  private var waiting: [(expert: Int?, rows: [Int])] = []
  /// Schemes that the next rows have been tried with.
  private var triedCandidates = 0
  private var before: [Float] = []
  /// Of the candidates that have been begun, in their order.
  private var outcomes: [Outcome] = []

  /// What a scheme made of the rows so far.
  private struct Outcome {
    let trial: LayerTrial
    var after: [Float] = []
    /// For each row what is left of errors that cancel; nil for schemes that let none cancel.
    var cancellation: [Double]?
  }

  init(
    _ number: Int, _ fisher: LayerFisher, _ candidates: [Scheme], in workspace: Workspace
  ) throws(JobFailure) {
    self.number = number
    self.fisher = fisher
    let shape = workspace.shapes[number]
    self.candidates = candidates.filter { scheme in
      do throws(PlanError) {
        try scheme.validated(for: shape)
        return true
      } catch {
        return false
      }
    }
    matrix = try workspace.matrix(of: number)
    sampler = TrialSampler(matrix: matrix, layer: shape.name, fisher: fisher)
  }

  /// Works for a while.
  ///
  /// - Returns: whether there is more to do.
  mutating func step(
    with inputs: inout SiteInputs?, in workspace: Workspace
  ) throws(JobFailure) -> Bool {
    let shape = workspace.shapes[number]
    let end = workspace.now() + stepLength
    do throws(CompressionError) {
      repeat {
        guard rows != nil else {
          try sampler.step(rows: max(1, (1 << 18) / shape.columns))
          rows = sampler.finish()
          waiting = Self.parts(
            of: rows?.rows ?? [], experts: inputs?.fit?.experts.count ?? 0, shape)
          continue
        }
        guard let part = waiting.last, !candidates.isEmpty else { return false }
        let order = candidates[triedCandidates].sweepOrder
        if inputs?.stepFactor(order, ofExpert: part.expert, until: { workspace.now() >= end })
          == true
        {
          return true
        }
        try tryNext(on: part.rows, of: part.expert, inputs, in: workspace)
      } while workspace.now() < end
    } catch {
      throw JobFailure(error)
    }
    return true
  }

  /// Rows by the expert that they belong to, the first last; all of them together where experts read alike.
  private static func parts(
    of rows: [Int], experts: Int, _ shape: LayerShape
  ) -> [(expert: Int?, rows: [Int])] {
    guard experts > 0 else { return [(nil, rows)] }
    let height = shape.rows / experts
    return Dictionary(grouping: rows) { $0 / height }.sorted { $0.key > $1.key }
      .map { (expert: $0.key, rows: $0.value) }
  }

  private mutating func tryNext(
    on rows: [Int], of expert: Int?, _ inputs: SiteInputs?, in workspace: Workspace
  ) throws(CompressionError) {
    let scheme = candidates[triedCandidates]
    let factor = scheme.sweepOrder.flatMap { inputs?.factors[$0] }
    if outcomes.count == triedCandidates {
      let trial = try LayerTrial(
        matrix: matrix, shape: workspace.shapes[number], scheme: scheme,
        profile: workspace.profile(of: number), statistics: inputs?.fit, factor: factor)
      let isScored = scheme.calibrationNeed == .gram && inputs?.score.map(\.hasGrams) == true
      outcomes.append(Outcome(trial: trial, cancellation: isScored ? [] : nil))
    }
    let found = outcomes[triedCandidates].trial.compressed(rows: rows, factor: factor)
    outcomes[triedCandidates].after += found.after.values
    if outcomes[triedCandidates].cancellation != nil {
      let gram = inputs?.score?.gram(ofExpert: expert)
      outcomes[triedCandidates].cancellation? +=
        gram.map { TrialRows.cancellation(before: found.before, after: found.after, gram: $0) }
        ?? rows.map { _ in 1 }
    }
    triedCandidates += 1
    guard triedCandidates == candidates.count else { return }
    before += found.before.values
    waiting.removeLast()
    triedCandidates = 0
  }

  /// What was found.
  func costs(of layer: LayerDescription, in workspace: Workspace) -> LayerCosts? {
    guard let rows else { return nil }
    let shape = workspace.shapes[number]
    func matrix(_ values: [Float]) -> Matrix {
      Matrix(rows: rows.rows.count, columns: shape.columns, values: values)
    }
    let trials = zip(candidates, outcomes).map { scheme, outcome in
      let found = rows.divergence(
        before: matrix(before), after: matrix(outcome.after), cancellation: outcome.cancellation)
      let size = LayerSize.predicted(
        for: shape, scheme: scheme, original: workspace.originalBytes(of: number))
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
