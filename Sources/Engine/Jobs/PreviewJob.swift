import Compression
import Work

/// Reports on one layer under a scheme that need not be the plan's: sampled, then exact.
struct PreviewJob: Job {
  let id: JobID
  private let key: LayerCache.Key

  /// A preview of a layer, for which nothing is done yet.
  init(
    id: JobID, layer: String, scheme: Scheme, workspace: Workspace
  ) throws(JobFailure) {
    guard let number = workspace.number(of: layer) else {
      throw JobFailure(sentence: "the model has no layer \(layer)")
    }
    do {
      try scheme.validated(for: workspace.shapes[number])
    } catch {
      throw JobFailure(error)
    }
    self.id = id
    key = workspace.key(of: scheme, for: number)
    guard workspace.need(of: scheme, for: number) < .gram || key == workspace.plan.keys[number]
    else {
      throw JobFailure(
        sentence: "\(layer): \(scheme.summary) is fitted to what earlier layers of the plan "
          + "produce; put it into the plan to see it")
    }
  }

  func urgency(in workspace: Workspace) -> Urgency { .inSight }

  func run(_ turn: Turn) throws(JobFailure) {
    let workspace = turn.workspace
    if workspace.need(of: key.scheme, for: key.layer) == .gram {
      // The sweep over the blocks brings the report.
      try turn.wait { !workspace.plan.uncompressed.contains(key.layer) }
    }
    // What a calibration left out is on its way.
    let isMissing = { workspace.lacksCalibration(for: key.scheme, of: key.layer) }
    try turn.wait { !isMissing() || !workspace.awaitsMoments }
    guard !isMissing() else {
      throw JobFailure(sentence: "\(key.scheme.summary) needs a calibration; calibrate first")
    }
    let pace = Pace { _ throws(JobFailure) in try turn.tick() }
    if let report = workspace.report(for: key) {
      workspace.emit(.report(report))
      if report.standing == .exact { return }
    } else {
      let profile = try workspace.profile(of: key.layer, pace: pace)
      workspace.accept(try workspace.sampled(key, profile), for: key)
    }
    try turn.tick()
    workspace.accept(try workspace.compressed(key, pace: pace), for: key)
  }
}
