import Allocation
import Checkpoints
import Compression
import Inference
import Procedures
import Work

/// Measures what each scheme of each layer costs, and calibrates the model on the way.
struct SensitivityJob: Job {
  let id: JobID
  private let request: SensitivityRequest

  var lane: Lane { .calibration }

  /// From this many seconds on a first answer comes from so many tokens, and from methods that know no pairs of inputs.
  private static let longWait = 120.0
  private static let draftTokens = 1024

  /// - Throws: ``JobFailure`` for candidates that mean nothing for a layer alone.
  init(id: JobID, request: SensitivityRequest) throws(JobFailure) {
    try ScaleMapping.checkAlone(request.candidates)
    self.id = id
    self.request = request
  }

  func run(_ turn: Turn) throws(JobFailure) {
    let workspace = turn.workspace
    let tokens = try workspace.tokens(
      ofText: request.textPath, limit: max(request.tokenLimit, request.gradientTokens), turn)
    let weighed = try windows(of: tokens, limit: request.gradientTokens, in: workspace)
    let windows = try windows(of: tokens, limit: request.tokenLimit, in: workspace)
    let decoder = try workspace.models.original()
    let weighing: SensitivityMeasurement.Weighing =
      request.usesNoise
      ? .noise(
        try ReplacementPass(
          ofText: request.textPath, tokens,
          settings: workspace.evaluationSettings(window: weighed.length, limit: weighed.count),
          decoder: decoder))
      : .gradients(weighed)
    let seconds = try estimate(weighed, windows, request.candidates, turn)
    let measurement = SensitivityMeasurement(of: workspace.layers, decoder: decoder)
    var pace: Pace
    if case .gradients = weighing, seconds.all > Self.longWait,
      request.gradientTokens > 2 * Self.draftTokens
    {
      let draft = try self.windows(of: tokens, limit: Self.draftTokens, in: workspace)
      let schemes = request.candidates.quick
      let first = try estimate(draft, draft, schemes, turn)
      pace = turn.pace(of: 1000, estimate: first.all + seconds.all)
      let share = first.all / (first.all + seconds.all)
      let found = try measurement.run(
        schemes, weighing: .gradients(draft), on: draft, weighingShare: first.weighingShare,
        pace: pace.part(from: 0, to: share))
      try tell(sensitivity(found, draft, in: workspace), asDraft: draft, in: workspace)
      pace = pace.part(from: share, to: 1)
    } else {
      pace = turn.pace(of: 1000, estimate: seconds.all)
    }
    let found = try measurement.run(
      request.candidates, weighing: weighing, on: windows, weighingShare: seconds.weighingShare,
      pace: pace)
    let calibration = workspace.makeCalibration(
      textPath: request.textPath, windows: windows, moments: found.moments)
    workspace.accept(calibration)
    workspace.emit(.calibrated(id, calibration.summary(of: workspace.description)))
    try tell(sensitivity(found, windows, in: workspace), asDraft: nil, in: workspace)
  }

  /// Seconds that weighing layers and trying schemes should take.
  private struct Seconds {
    let weighing: Double
    let trials: Double
    var all: Double { weighing + trials }
    var weighingShare: Double { weighing / max(all, .leastNormalMagnitude) }
  }

  private func estimate(
    _ weighed: TokenWindows, _ windows: TokenWindows, _ candidates: [Scheme], _ turn: Turn
  ) throws(JobFailure) -> Seconds {
    try turn.workspace.estimated(turn) { [request] work, pace throws(JobFailure) in
      let trials = try work.trials(
        tokens: windows.count * windows.length, candidates: candidates,
        rows: TrialRows.defaultCount, pace: pace)
      guard request.usesNoise else {
        return Seconds(
          weighing: work.speed.gradients(tokens: weighed.count * weighed.length), trials: trials)
      }
      let layers = turn.workspace.shapes.indices.map { ($0, Scheme.keep) }
      let noise = try work.refinement(
        Dictionary(uniqueKeysWithValues: layers), windows: weighed.count, length: weighed.length,
        scored: weighed.scored.count, tokens: 0, pace: pace)
      return Seconds(weighing: noise, trials: trials)
    }
  }

  private func windows(
    of tokens: [Int], limit: Int, in workspace: Workspace
  ) throws(JobFailure) -> TokenWindows {
    try workspace.windows(
      of: tokens, from: request.textPath, length: request.window, least: 2, tokenLimit: limit)
  }

  private func sensitivity(
    _ found: SensitivityMeasurement.Result, _ windows: TokenWindows, in workspace: Workspace
  ) -> Sensitivity {
    let model = workspace.description
    return Sensitivity(
      origin: Sensitivity.Origin(
        model: model.name, fingerprint: model.fingerprint, text: request.textPath,
        gradientTokens: found.gradientTokens, trialTokens: windows.count * windows.length,
        version: EngineSettings.version),
      layers: found.layers)
  }

  /// Solves and predicts with what was measured from now on, and saves it.
  ///
  /// - Parameters:
  ///   - sensitivity: What was measured.
  ///   - draft: The text that a first answer is from; nil for the last one.
  ///   - workspace: Of the job.
  /// - Throws: ``JobFailure`` when it cannot be saved.
  private func tell(
    _ sensitivity: Sensitivity, asDraft draft: TokenWindows?, in workspace: Workspace
  ) throws(JobFailure) {
    if let path = request.savePath {
      do { try sensitivity.write(to: path) } catch { throw JobFailure(error) }
    }
    workspace.sensitivity = sensitivity
    var summary = SensitivitySummary(sensitivity, path: request.savePath)
    guard let draft else {
      workspace.emit(.sensitivity(id, summary))
      return
    }
    summary.note =
      "a first answer, from \(draft.count * draft.length) tokens and without GPTQ; a better one follows"
    workspace.emit(.sensitivityDrafted(id, summary))
  }
}

extension [Scheme] {
  /// The same with methods that know no pairs of inputs, each once.
  fileprivate var quick: [Scheme] {
    var found: [Scheme] = []
    for var scheme in self {
      if scheme.quantization?.method == .gptq { scheme.quantization?.method = .rtn }
      if scheme.sparsity?.method == .sparsegpt { scheme.sparsity?.method = .wanda }
      if !found.contains(scheme) { found.append(scheme) }
    }
    return found
  }
}

extension SensitivitySummary {
  init(_ sensitivity: Sensitivity, path: String?) {
    self.init(
      textPath: sensitivity.origin.text, gradientTokens: sensitivity.origin.gradientTokens,
      layers: sensitivity.layers.map { costs in
        LayerSensitivity(
          layer: costs.layer,
          divergencePerRelativeError: sensitivity.factor(of: costs) * PlanPredictor.otherText
            * costs.fisher.divergencePerRelativeError(energy: costs.energy),
          schemes: costs.trials.map {
            let trial = sensitivity.expected($0, of: costs)
            return SchemeDivergence(
              scheme: trial.scheme, bytes: trial.bytes, divergence: trial.divergence,
              standardError: trial.standardError)
          })
      }, path: path, spread: sensitivity.predictor.spread, agreement: sensitivity.agreement)
  }
}
