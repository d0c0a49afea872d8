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
    let estimate = try estimate(weighed, windows, turn)
    let found = try SensitivityMeasurement(of: workspace.layers, decoder: decoder).run(
      request.candidates, weighing: weighing, on: windows,
      weighingShare: estimate.weighing
        / max(estimate.weighing + estimate.trials, .leastNormalMagnitude),
      pace: turn.pace(of: 1000, estimate: estimate.weighing + estimate.trials))
    try accept(found, windows, in: workspace)
  }

  /// Seconds that weighing layers and trying schemes should take.
  private func estimate(
    _ weighed: TokenWindows, _ windows: TokenWindows, _ turn: Turn
  ) throws(JobFailure) -> (weighing: Double, trials: Double) {
    try turn.workspace.estimated(turn) { [request] work, pace throws(JobFailure) in
      let trials = try work.trials(
        tokens: windows.count * windows.length, candidates: request.candidates,
        rows: TrialRows.defaultCount, pace: pace)
      guard request.usesNoise else {
        return (work.speed.gradients(tokens: weighed.count * weighed.length), trials)
      }
      let layers = turn.workspace.shapes.indices.map { ($0, Scheme.keep) }
      let noise = try work.refinement(
        Dictionary(uniqueKeysWithValues: layers), windows: weighed.count, length: weighed.length,
        scored: weighed.scored.count, tokens: 0, pace: pace)
      return (noise, trials)
    }
  }

  private func windows(
    of tokens: [Int], limit: Int, in workspace: Workspace
  ) throws(JobFailure) -> TokenWindows {
    try workspace.windows(
      of: tokens, from: request.textPath, length: request.window, least: 2, tokenLimit: limit)
  }

  private func accept(
    _ found: SensitivityMeasurement.Result, _ windows: TokenWindows, in workspace: Workspace
  ) throws(JobFailure) {
    let model = workspace.description
    let sensitivity = Sensitivity(
      origin: Sensitivity.Origin(
        model: model.name, fingerprint: model.fingerprint, text: request.textPath,
        gradientTokens: found.gradientTokens, trialTokens: windows.count * windows.length,
        version: EngineSettings.version),
      layers: found.layers)
    if let path = request.savePath {
      do { try sensitivity.write(to: path) } catch { throw JobFailure(error) }
    }
    let calibration = workspace.makeCalibration(
      textPath: request.textPath, windows: windows, moments: found.moments)
    workspace.accept(calibration)
    workspace.sensitivity = sensitivity
    workspace.emit(.calibrated(id, calibration.summary(of: model)))
    workspace.emit(.sensitivity(id, SensitivitySummary(sensitivity, path: request.savePath)))
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
