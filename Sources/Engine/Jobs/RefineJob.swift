import Allocation
import Checkpoints
import Compression
import Inference
import Tokenization

/// Compresses a plan's most costly layers one at a time, all others as in the checkpoint, and measures the KLD of each
/// such model: predictions learn from every one at once.
struct RefineJob: Job {
  /// What a step works on, in this order.
  private enum Phase {
    case reading(TextWork)
    case measuring(ReplacementPass, LoneCompression)
  }

  let id: JobID
  private let request: RefinementRequest
  private let layers: [String]
  /// The text before anything of it is read.
  private let text: TextWork
  private var phase: Phase
  private var meter: ProgressMeter

  /// - Throws: ``JobFailure`` when sensitivity is unknown, or nothing of the plan is left to measure.
  init(
    id: JobID, request: RefinementRequest, workspace: Workspace
  ) throws(JobFailure) {
    self.id = id
    self.request = request
    // AWQ's scales live in several layers at once: none of them can be compressed alone.
    let alone = request.schemes.filter { !$0.value.usesAWQ }
    layers = try workspace.knownSensitivity().layersToMeasure(of: alone, limit: request.layerLimit)
    guard !layers.isEmpty else {
      throw JobFailure(
        sentence: "no layer is left to measure: all layers of the plan are kept, measured already, "
          + "or under schemes that sensitivity did not try")
    }
    text = TextWork(
      path: request.textPath,
      limit: workspace.tokens(ofWindows: request.windowLimit, of: request.window), for: id)
    phase = .reading(text)
    meter = ProgressMeter(workLeft: 1, now: workspace.now())
  }

  /// Whether a layer is compressed with what a calibration tells.
  func needsCalibration(in workspace: Workspace) -> Bool {
    workspace.calibration == nil
      && layers.contains { request.schemes[$0].map { $0.calibrationNeed > .nothing } ?? false }
  }

  func urgency(in workspace: Workspace) -> Urgency? {
    needsCalibration(in: workspace) ? nil : .background
  }

  mutating func step(in workspace: inout Workspace) throws(JobFailure) -> JobState {
    let current = phase
    // Held in one place only while it works, so that nothing of it is copied.
    phase = .reading(text)
    switch current {
    case .reading(var text):
      guard let tokens = try text.step(in: &workspace) else {
        phase = .reading(text)
        break
      }
      phase = try begin(tokens, in: &workspace)
    case .measuring(var pass, var compression):
      let goesOn = try step(&pass, &compression, in: &workspace)
      let progress = meter.report(
        completed: pass.result.count, of: layers.count, workLeft: 1 - pass.fractionCompleted,
        now: workspace.now())
      if let progress { workspace.emit(.jobProgress(id, progress)) }
      phase = .measuring(pass, compression)
      guard goesOn else { return .finished }
    }
    return .unfinished
  }

  private func begin(
    _ tokens: [Int], in workspace: inout Workspace
  ) throws(JobFailure) -> Phase {
    let pass = try ReplacementPass(
      tokens: tokens, from: request.textPath, window: workspace.windowLength(request.window),
      limit: request.windowLimit,
      layers: Set(layers), in: &workspace)
    var schemes: [Int: Scheme] = [:]
    for layer in layers {
      if let number = workspace.number(of: layer) { schemes[number] = request.schemes[layer] }
    }
    return .measuring(pass, try LoneCompression(schemes, in: &workspace))
  }

  private func step(
    _ pass: inout ReplacementPass, _ compression: inout LoneCompression,
    in workspace: inout Workspace
  ) throws(JobFailure) -> Bool {
    let before = pass.result
    do {
      if let wanted = pass.wanted, let number = workspace.number(of: wanted.name) {
        if let result = try compression.step(toward: number, in: &workspace) {
          try pass.replace(by: result.weights)
        }
        return true
      }
      let goesOn = try pass.step()
      for (layer, found) in pass.result where before[layer] == nil {
        guard let scheme = request.schemes[layer] else { continue }
        workspace.learn(
          MeasuredPlan(
            schemes: [layer: scheme], divergence: found.value,
            standardError: found.standardError ?? 0, text: request.textPath.fileName,
            tokens: pass.scoredTokens), from: id)
      }
      if let path = request.savePath, pass.result.count > before.count {
        try workspace.saveSensitivity(to: path)
      }
      return goesOn
    } catch let failure as JobFailure {
      throw failure
    } catch {
      throw JobFailure(sentence: "\(error)")
    }
  }
}

extension ReplacementPass {
  /// A pass of the original model over a text's windows.
  ///
  /// - Throws: ``JobFailure`` when the text is too short, or the model cannot read it.
  init(
    tokens: [Int], from path: String, window: Int, limit: Int, layers: Set<String>? = nil,
    in workspace: inout Workspace
  ) throws(JobFailure) {
    let tokenizer = try workspace.models.tokenizer()
    let decoder = try workspace.models.original()
    let settings = Evaluation.Settings(
      window: window, windowLimit: limit,
      beginToken: tokenizer.textBegin)
    do throws(InferenceError) {
      try self.init(tokens: tokens, settings: settings, decoder: decoder, layers: layers)
    } catch .emptyInput {
      throw JobFailure(sentence: "\(path): the text is too short to score a token")
    } catch {
      throw JobFailure(error)
    }
  }
}
