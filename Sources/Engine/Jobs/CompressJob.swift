import Compression

/// Makes the running compressed model what the plan says: first a sampled report on every layer
/// that changed, then the layers themselves.
///
/// Layers whose method needs all pairs of their inputs' moments come last, in a sweep over the blocks. It asks at each
/// step what the plan wants now, so that nothing piles up when plans change quickly.
struct CompressJob: Job {
  let id = JobID.compression
  private var sample: SampleWork?
  private var compression: CompressionWork?
  private var sweep: BlockSweep?
  private var meter: ProgressMeter

  init(workspace: Workspace) {
    meter = ProgressMeter(workLeft: workspace.weightsLeft, now: workspace.now())
  }

  func urgency(in workspace: Workspace) -> Urgency? {
    let plan = workspace.plan
    if plan.nextSampleInSight != nil { return .inSight }
    let isIdle = plan.nextSample == nil && plan.nextCompression == nil && plan.unswept.isEmpty
    return isIdle && !plan.isDone ? nil : .live
  }

  mutating func step(in workspace: inout Workspace) throws(JobFailure) -> JobState {
    if let number = workspace.plan.nextSample {
      try stepSample(of: number, &workspace)
    } else if let number = workspace.plan.nextCompression {
      try stepCompression(of: number, &workspace)
    } else if !workspace.plan.unswept.isEmpty {
      try stepSweep(&workspace)
    }
    let started = compression.map { work in
      work.progress * Double(workspace.weights(of: work.key.layer))
    }
    let total = workspace.plan.compressedCount
    if let progress = meter.report(
      completed: total - workspace.plan.uncompressed.count, of: total,
      workLeft: workspace.weightsLeft - (started ?? 0), now: workspace.now())
    {
      workspace.emit(.jobProgress(id, progress))
    }
    return workspace.plan.isDone ? .finished : .unfinished
  }

  private mutating func stepSample(
    of number: Int, _ workspace: inout Workspace
  ) throws(JobFailure) {
    let key = workspace.key(ofPlanFor: number)
    if sample?.key != key { sample = SampleWork(key) }
    guard let report = try sample?.step(in: &workspace) else { return }
    sample = nil
    workspace.accept(report, for: key)
  }

  private mutating func stepCompression(
    of number: Int, _ workspace: inout Workspace
  ) throws(JobFailure) {
    // A layer that was begun is ended first, unless the plan has changed its mind about it.
    let begun = compression.flatMap { workspace.isWanted($0.key) ? $0.key : nil }
    let key = begun ?? workspace.key(ofPlanFor: number)
    if compression?.key != key { compression = CompressionWork(key) }
    guard let result = try compression?.step(in: &workspace) else { return }
    compression = nil
    workspace.accept(result, for: key)
  }

  private mutating func stepSweep(_ workspace: inout Workspace) throws(JobFailure) {
    // What earlier blocks produce may not be what it was.
    guard var sweep, sweep.isUpToDate(in: workspace) else {
      sweep = try BlockSweep(in: &workspace)
      return
    }
    // Held in one place only while it works, so that nothing of it is copied.
    self.sweep = nil
    if try sweep.step(in: &workspace) { self.sweep = sweep }
  }
}
