import Compression

/// Reports on one layer under a scheme that need not be the plan's: sampled, then exact.
struct PreviewJob: Job {
  let id: JobID
  private var sample: SampleWork?
  private var compression: CompressionWork

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
    let key = workspace.key(of: scheme, for: number)
    guard workspace.need(of: scheme, for: number) < .gram || key == workspace.plan.keys[number]
    else {
      throw JobFailure(
        sentence: "\(layer): \(scheme.summary) is fitted to what earlier layers of the plan "
          + "produce; put it into the plan to see it")
    }
    sample = SampleWork(key)
    compression = CompressionWork(key)
  }

  func urgency(in workspace: Workspace) -> Urgency? {
    let (layer, scheme) = (compression.key.layer, compression.key.scheme)
    guard workspace.need(of: scheme, for: layer) == .gram else { return .inSight }
    // The sweep over the blocks brings the report.
    return workspace.plan.uncompressed.contains(layer) ? nil : .inSight
  }

  mutating func step(in workspace: inout Workspace) throws(JobFailure) -> JobState {
    if let report = workspace.report(for: compression.key), sample != nil {
      sample = nil
      workspace.emit(.report(report))
      return report.standing == .exact ? .finished : .unfinished
    }
    if sample != nil {
      if let report = try sample?.step(in: &workspace) {
        sample = nil
        workspace.accept(report, for: compression.key)
      }
      return .unfinished
    }
    guard let result = try compression.step(in: &workspace) else { return .unfinished }
    workspace.accept(result, for: compression.key)
    return .finished
  }
}
