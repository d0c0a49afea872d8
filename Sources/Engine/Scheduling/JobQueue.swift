import Checkpoints

/// A step of a job.
struct JobTurn {
  let job: JobID
  let result: Result<JobState, JobFailure>
  /// Whether bytes that it may have read were zeros in place of a file's.
  let isDamaged: Bool
}

/// The jobs under way and the rule that picks the next: by urgency, and fairly among equals.
///
/// Equals share time, not steps: of the most urgent jobs the one that has used the least goes next
/// (start-time fair queueing, Goyal et al. 1996).
struct JobQueue {
  private struct Entry {
    var job: any Job
    /// Time used, counted from what the others had used when this one came or woke up.
    var used: Duration
    var isWaiting = false
  }

  private var entries: [Entry] = []
  /// The `used` of the job picked last.
  private var served = Duration.zero

  /// Ids of the jobs under way, oldest first.
  var ids: [JobID] { entries.map(\.job.id) }

  /// Ids of the jobs that only another job could let go on, oldest first.
  var stuckIDs: [JobID] { entries.filter { !$0.job.awaitsServer }.map(\.job.id) }

  /// Whether a job that calibrates the model is under way.
  var isCalibrating: Bool {
    entries.contains { $0.job is CalibrateJob || $0.job is SensitivityJob }
  }

  /// Whether an export is under way.
  var isExporting: Bool { entries.contains { $0.job is ExportJob } }

  func contains(_ id: JobID) -> Bool { entries.contains { $0.job.id == id } }

  mutating func add(_ job: any Job) { entries.append(Entry(job: job, used: served)) }

  /// Takes the job out, if it is there.
  mutating func remove(_ id: JobID) { entries.removeAll { $0.job.id == id } }

  /// Lets the job whose turn it is make one step.
  ///
  /// - Returns: the job and what came of the step; nil when no job can go on. Of a damaged checkpoint nothing comes, and
  ///   what the step said is not true.
  mutating func step(in workspace: inout Workspace) -> JobTurn? {
    guard let place = next(in: workspace) else { return nil }
    let started = workspace.now()
    served = entries[place].used
    let result = Result { () throws(JobFailure) in
      try entries[place].job.step(in: &workspace)
    }
    entries[place].used += workspace.now() - started
    let (id, damage) = (entries[place].job.id, entries[place].job.damage)
    if let damage = damage ?? workspace.checkpoint.damage {
      return JobTurn(job: id, result: .failure(JobFailure(damage)), isDamaged: true)
    }
    return JobTurn(job: id, result: result, isDamaged: false)
  }

  private mutating func next(in workspace: Workspace) -> Int? {
    var best: (place: Int, urgency: Urgency)?
    for place in entries.indices {
      guard let urgency = entries[place].job.urgency(in: workspace) else {
        entries[place].isWaiting = true
        continue
      }
      if entries[place].isWaiting {
        // Time spent waiting is not saved up.
        entries[place].used = max(entries[place].used, served)
        entries[place].isWaiting = false
      }
      guard let current = best else {
        best = (place, urgency)
        continue
      }
      let isFairer = entries[place].used < entries[current.place].used
      if urgency < current.urgency || (urgency == current.urgency && isFairer) {
        best = (place, urgency)
      }
    }
    return best?.place
  }
}

extension Workspace {
  /// Lets the job whose turn it is make one step in this workspace.
  ///
  /// - Returns: the job and what came of the step; nil when no job can go on.
  mutating func takeTurn(among jobs: inout JobQueue) -> JobTurn? {
    jobs.step(in: &self)
  }
}
