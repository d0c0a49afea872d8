import Allocation
import Checkpoints
import Compression
import Inference
import Tensors

/// Measures what each scheme of each layer costs: gradients first, then trials block by block.
///
/// The pass over the blocks sees the inputs of all layers, so that it calibrates the model as well.
struct SensitivityJob: Job {
  /// What a step works on, in this order.
  private enum Phase {
    case reading(TextWork)
    case differentiating(FisherPass, TokenWindows)
    case probing(NoiseProbes, TokenWindows)
    case trying(TrialWork, TokenWindows, gradientTokens: Int)
  }

  /// Of the labels that gradients are taken of.
  private static let seed: UInt64 = 1
  /// Share of the time that gradients take, or noise in their place, about.
  private var gradientShare: Double { request.usesNoise ? 0.8 : 0.3 }

  let id: JobID
  private let request: SensitivityRequest
  private var phase: Phase
  private var meter: ProgressMeter

  /// - Throws: ``JobFailure`` for candidates that mean nothing for a layer alone.
  init(
    id: JobID, request: SensitivityRequest, workspace: Workspace
  ) throws(JobFailure) {
    try ScaleMapping.checkAlone(request.candidates)
    self.id = id
    self.request = request
    phase = .reading(Self.text(request, for: id))
    meter = ProgressMeter(workLeft: 1, now: workspace.now())
  }

  func urgency(in workspace: Workspace) -> Urgency? { .background }

  mutating func step(in workspace: inout Workspace) throws(JobFailure) -> JobState {
    let current = phase
    // Held in one place only while it works, so that nothing of it is copied.
    phase = .reading(Self.text(request, for: id))
    switch current {
    case .reading(var text):
      guard let tokens = try text.step(in: &workspace) else {
        phase = .reading(text)
        break
      }
      let windows = try windows(of: tokens, limit: request.gradientTokens, in: &workspace)
      let all = try self.windows(of: tokens, limit: request.tokenLimit, in: &workspace)
      phase =
        request.usesNoise
        ? .probing(try probes(on: tokens, windows, in: &workspace), all)
        : .differentiating(try gradients(on: windows, in: &workspace), all)
    case .differentiating(var pass, let windows):
      let goesOn = pass.step()
      sayHowFar(gradientShare * pass.fractionCompleted, in: workspace)
      if goesOn {
        phase = .differentiating(pass, windows)
      } else {
        let work = try TrialWork(
          windows, candidates: request.candidates, fishers: pass.result,
          weights: pass.tokenWeights, in: &workspace)
        phase = .trying(work, windows, gradientTokens: pass.tokenCount)
      }
    case .probing(var probes, let windows):
      let goesOn = try probes.step(in: &workspace)
      sayHowFar(gradientShare * probes.fractionCompleted, in: workspace)
      if goesOn {
        phase = .probing(probes, windows)
      } else {
        let work = try TrialWork(
          windows, candidates: request.candidates, fishers: probes.result, in: &workspace)
        phase = .trying(work, windows, gradientTokens: probes.tokenCount)
      }
    case .trying(var work, let windows, let gradientTokens):
      let goesOn = try work.step(in: &workspace)
      let share = 1 - gradientShare
      sayHowFar(gradientShare + share * work.fractionCompleted, in: workspace)
      guard goesOn else {
        try finish(work, windows, gradientTokens: gradientTokens, in: &workspace)
        return .finished
      }
      phase = .trying(work, windows, gradientTokens: gradientTokens)
    }
    return .unfinished
  }

  private static func text(_ request: SensitivityRequest, for id: JobID) -> TextWork {
    TextWork(
      path: request.textPath, limit: max(request.tokenLimit, request.gradientTokens), for: id)
  }

  private func windows(
    of tokens: [Int], limit: Int, in workspace: inout Workspace
  ) throws(JobFailure) -> TokenWindows {
    try TextWork.windows(
      of: tokens, from: request.textPath, length: request.window, least: 2, tokenLimit: limit,
      in: &workspace)
  }

  private func gradients(
    on windows: TokenWindows, in workspace: inout Workspace
  ) throws(JobFailure) -> FisherPass {
    do {
      return try FisherPass(
        windows: windows.all, decoder: workspace.models.original(), seed: Self.seed)
    } catch let failure as JobFailure {
      throw failure
    } catch {
      throw JobFailure(sentence: "\(error)")
    }
  }

  private func probes(
    on tokens: [Int], _ windows: TokenWindows, in workspace: inout Workspace
  ) throws(JobFailure) -> NoiseProbes {
    NoiseProbes(
      try ReplacementPass(
        tokens: tokens, from: request.textPath, window: windows.length, limit: windows.count,
        in: &workspace))
  }

  private func finish(
    _ work: TrialWork, _ windows: TokenWindows, gradientTokens: Int,
    in workspace: inout Workspace
  ) throws(JobFailure) {
    let model = workspace.description
    let sensitivity = Sensitivity(
      origin: Sensitivity.Origin(
        model: model.name, fingerprint: model.fingerprint, text: request.textPath,
        gradientTokens: gradientTokens, trialTokens: windows.count * windows.length,
        version: EngineSettings.version),
      layers: work.layers.sorted { first, second in
        (workspace.number(of: first.layer) ?? 0) < (workspace.number(of: second.layer) ?? 0)
      })
    if let path = request.savePath {
      do { try sensitivity.write(to: path) } catch { throw JobFailure(error) }
    }
    let calibration = workspace.makeCalibration(
      textPath: request.textPath, windows: windows, moments: work.moments)
    workspace.accept(calibration)
    workspace.sensitivity = sensitivity
    workspace.emit(.calibrated(id, calibration.summary))
    workspace.emit(.sensitivity(id, SensitivitySummary(sensitivity, path: request.savePath)))
  }

  /// Progress in thousandths.
  private mutating func sayHowFar(_ share: Double, in workspace: Workspace) {
    let progress = meter.report(
      completed: Int(1000 * share), of: 1000, workLeft: 1 - share, now: workspace.now())
    if let progress { workspace.emit(.jobProgress(id, progress)) }
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
