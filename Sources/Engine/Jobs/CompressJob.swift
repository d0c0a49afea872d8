import Compression
import Inference
import Procedures
import Work

/// Makes the running compressed model what the plan says: first a sampled report on every layer
/// that changed, then the layers themselves.
///
/// Layers whose method needs all pairs of their inputs' moments come last, in a sweep over the blocks. It asks at each
/// tick what the plan wants now, so that nothing piles up when plans change quickly.
final class CompressJob: Job {
  let id = JobID.compression
  private var meter: ProgressMeter
  /// What the plan asked for when progress was reported last: a layer that it no longer asks for is not done.
  private var planned: [LayerCache.Key]
  /// Seconds that each layer should take, where a sweep makes it worth knowing; else its weights tell.
  private var costs: [LayerCache.Key: Double] = [:]
  /// Layers that are being sampled: one, and others that came into sight meanwhile.
  private var sampling: Set<Int> = []

  init(workspace: Workspace) {
    meter = ProgressMeter(workLeft: workspace.weightsLeft, now: workspace.now())
    planned = workspace.plan.keys
  }

  func urgency(in workspace: Workspace) -> Urgency {
    workspace.plan.nextSampleInSight == nil ? .live : .inSight
  }

  func run(_ turn: Turn) throws(JobFailure) {
    let workspace = turn.workspace
    while !workspace.plan.isDone {
      if let number = workspace.plan.nextSample {
        try sample(number, turn)
        continue
      }
      try workspace.checkMemory()
      if let number = workspace.plan.nextCompression {
        try compress(number, turn)
      } else if !workspace.plan.unswept.isEmpty {
        try sweep(turn)
      } else {
        try turn.wait { workspace.plan.isDone || workspace.plan.hasWork }
      }
    }
  }

  /// Samples a layer; others that come into sight meanwhile go before it.
  private func sample(_ number: Int, _ turn: Turn) throws(JobFailure) {
    let workspace = turn.workspace
    sampling.insert(number)
    defer { sampling.remove(number) }
    let profile = try workspace.profile(
      of: number,
      pace: Pace { [self] _ throws(JobFailure) in
        try turn.tick()
        while let next = workspace.plan.nextSampleInSight, !sampling.contains(next) {
          try sample(next, turn)
        }
      })
    guard workspace.plan.unsampled.contains(number) else { return }
    let key = workspace.key(ofPlanFor: number)
    workspace.accept(try workspace.sampled(key, profile), for: key)
    try turn.tick()
  }

  /// Compresses a layer, unless the plan changes its mind about it.
  private func compress(_ number: Int, _ turn: Turn) throws(JobFailure) {
    let workspace = turn.workspace
    let key = workspace.key(ofPlanFor: number)
    let cost = cost(of: key, in: workspace)
    do {
      let pace = pace(turn) { share in share * cost }
      let result = try workspace.compressed(
        key, pace: pace.ending { workspace.isWanted(key) })
      workspace.accept(result, for: key)
    } catch {
      guard workspace.isWanted(key) else { return }
      throw error
    }
    report(turn)
    try turn.tick()
  }

  /// Sweeps over the blocks, until what earlier blocks produce is not what it was.
  private func sweep(_ turn: Turn) throws(JobFailure) {
    let workspace = turn.workspace
    try estimate(turn)
    var origin = workspace.lineage.before[0]
    var current = { workspace.lineage.before[0] }
    let layers = workspace.layers
    var sweep = try BlockSweep(
      workspace, of: layers, original: workspace.models.original(),
      windows: workspace.knownCalibration().windows, on: workspace.models.sharedPool())
    do {
      try sweep.run(pace: pace(turn) { _ in 0 }.ending { current() == origin }) {
        block, isThrough in
        current = {
          isThrough ? workspace.lineage.through[block] : workspace.lineage.before[block]
        }
        origin = current()
      }
    } catch {
      guard current() == origin else { return }
      throw error
    }
  }

  /// A pace that samples first what the plan asks for meanwhile.
  ///
  /// - Parameters:
  ///   - turn: of the job.
  ///   - done: weights of a layer that are compressed at a share of its work.
  /// - Returns: what the work is handed.
  private func pace(_ turn: Turn, done: @escaping (Double) -> Double) -> Pace {
    Pace { [self] share throws(JobFailure) in
      report(turn, done: done(share))
      try turn.tick()
      while let number = turn.workspace.plan.nextSample { try sample(number, turn) }
    }
  }

  /// Estimates what the layers that are left take, and says it.
  private func estimate(_ turn: Turn) throws(JobFailure) {
    let workspace = turn.workspace
    let left = workspace.plan.uncompressed.map(workspace.key(ofPlanFor:))
    let windows = try workspace.knownCalibration().windows
    let schemes = Dictionary(left.map { ($0.layer, $0.scheme) }, uniquingKeysWith: { $1 })
    let found = try workspace.estimated(turn) { work, pace throws(JobFailure) in
      try work.compression(schemes, tokens: windows.count * windows.length, pace: pace)
    }
    costs = Dictionary(
      left.map { ($0, found[$0.layer] ?? 0) }, uniquingKeysWith: { first, _ in first })
    let seconds = found.values.reduce(0, +)
    meter = ProgressMeter(workLeft: seconds, estimate: seconds, now: workspace.now())
    let total = workspace.plan.compressedCount
    workspace.emit(
      .jobProgress(
        id, JobProgress(completed: total - left.count, total: total, secondsLeft: seconds)))
  }

  /// What a layer takes, in seconds if they were estimated, and else in weights.
  private func cost(of key: LayerCache.Key, in workspace: Workspace) -> Double {
    if let cost = costs[key] { return cost }
    let weights = Double(workspace.weights(of: key.layer))
    guard !costs.isEmpty else { return weights }
    // Asked for since the estimate was made: as much a weight as all others.
    let known = costs.keys.reduce(0) { $0 + Double(workspace.weights(of: $1.layer)) }
    return weights * costs.values.reduce(0, +) / max(known, 1)
  }

  private func report(_ turn: Turn, done: Double = 0) {
    let (workspace, total) = (turn.workspace, turn.workspace.plan.compressedCount)
    let left = workspace.plan.uncompressed.reduce(0) {
      $0 + cost(of: workspace.key(ofPlanFor: $1), in: workspace)
    }
    if workspace.plan.keys != planned {
      planned = workspace.plan.keys
      meter.replan(workLeft: left - done)
    }
    turn.report(
      by: &meter, completed: total - workspace.plan.uncompressed.count, of: total,
      left: left - done)
  }
}

extension Workspace: SweptModel {
  func scheme(of number: Int) -> Scheme { plan.scheme(of: number) }

  var unsweptLayers: [Int] { plan.unswept }

  func put(
    _ number: Int, from original: Decoder, into decoder: inout Decoder
  ) throws(JobFailure) {
    guard !plan.uncompressed.contains(number), models.result(of: number) != nil else { return }
    do {
      try models.put(number, from: original, into: &decoder)
    } catch {
      throw JobFailure(error)
    }
  }

  func accept(_ result: LayerResult, of number: Int) {
    let key = key(ofPlanFor: number)
    var result = result
    result.context = key.context
    accept(result, for: key)
  }
}
