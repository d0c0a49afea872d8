import Allocation
import Checkpoints
import Compression
import Inference
import Procedures
import Tensors
import Work

/// Compresses a plan's most costly layers one at a time, all others as in the checkpoint, and measures the KLD of each
/// such model: predictions learn from every one at once.
struct RefineJob: Job {
  let id: JobID
  private let request: RefinementRequest
  private let layers: [String]

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
  }

  /// Whether a layer is compressed with what a calibration tells.
  func needsCalibration(in workspace: Workspace) -> Bool {
    layers.contains { layer in
      guard let scheme = request.schemes[layer], let number = workspace.number(of: layer) else {
        return false
      }
      return workspace.lacksCalibration(for: scheme, of: number)
    }
  }

  func run(_ turn: Turn) throws(JobFailure) {
    let workspace = turn.workspace
    try turn.wait { !needsCalibration(in: workspace) }
    let tokens = try workspace.tokens(
      ofText: request.textPath,
      limit: workspace.tokens(ofWindows: request.windowLimit, of: request.window), turn)
    let decoder = try workspace.models.original()
    let pass = try ReplacementPass(
      ofText: request.textPath, tokens,
      settings: workspace.evaluationSettings(window: request.window, limit: request.windowLimit),
      decoder: decoder, layers: Set(layers))
    var compression = try loneCompression(of: decoder, in: workspace)
    let estimate = try estimate(of: pass, turn)
    try pass.run(pace: turn.pace(of: layers.count, estimate: estimate)) {
      layer, pace throws(JobFailure) in
      guard let number = workspace.number(of: layer.name), let scheme = request.schemes[layer.name]
      else { return nil }
      return try compression.compressed(
        number, scheme, statistics: workspace.statistics(of: number), pace: pace
      ).weights
    } hearing: { layer, found throws(JobFailure) in
      guard let scheme = request.schemes[layer.name] else { return }
      workspace.learn(
        MeasuredPlan(
          schemes: [layer.name: scheme], divergence: found.value,
          standardError: found.standardError ?? 0, text: request.textPath.fileName,
          tokens: pass.scoredTokens), from: id)
      if let path = request.savePath { try workspace.saveSensitivity(to: path) }
    }
  }

  /// Seconds that measuring the layers should take.
  private func estimate(of pass: ReplacementPass, _ turn: Turn) throws(JobFailure) -> Double {
    let workspace = turn.workspace
    var schemes: [Int: Scheme] = [:]
    for layer in layers {
      if let number = workspace.number(of: layer) { schemes[number] = request.schemes[layer] }
    }
    let tokens = workspace.calibration.map { $0.windows.count * $0.windows.length } ?? 0
    return try workspace.estimated(turn) { work, pace throws(JobFailure) in
      try work.refinement(
        schemes, windows: pass.windows.count, length: pass.windows.length,
        scored: pass.windows.scored.count, tokens: tokens, pace: pace)
    }
  }

  private func loneCompression(
    of decoder: Decoder, in workspace: Workspace
  ) throws(JobFailure) -> LoneCompression {
    let needsPass = layers.contains { layer in
      guard let number = workspace.number(of: layer), let scheme = request.schemes[layer] else {
        return false
      }
      return workspace.need(of: scheme, for: number) == .gram
    }
    return try LoneCompression(
      of: workspace.layers, decoder: decoder,
      windows: needsPass ? workspace.knownCalibration().windows : nil,
      on: workspace.models.sharedPool())
  }
}
