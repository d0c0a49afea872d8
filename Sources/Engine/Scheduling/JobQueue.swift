import Checkpoints
import Work

/// What came of a job's turn.
struct JobTurn {
  let job: JobID
  /// Nil when it has more to do.
  let outcome: Result<Void, JobFailure>?
}

/// The jobs under way and the rule that picks the next: by urgency, and fairly among equals.
///
/// Equals share time, not steps: of the most urgent jobs the one that has used the least goes next
/// (start-time fair queueing, Goyal et al. 1996).
struct JobQueue {
  private struct Entry {
    let job: any Job
    let turn: Turn
    let strand: Strand
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
  var stuckIDs: [JobID] { entries.filter { !$0.turn.awaitsServer }.map(\.job.id) }

  /// Whether a job that calibrates the model is under way.
  var isCalibrating: Bool { entries.contains { $0.job.lane == .calibration } }

  /// Whether an export of the model is under way.
  var isExporting: Bool { entries.contains { $0.job.lane == .export } }

  func contains(_ id: JobID) -> Bool { entries.contains { $0.job.id == id } }

  mutating func add(_ job: any Job, in workspace: Workspace) {
    let turn = Turn(job.id, in: workspace)
    let strand = Strand { pause throws(JobFailure) in
      turn.pause = pause
      try job.run(turn)
    }
    entries.append(Entry(job: job, turn: turn, strand: strand, used: served))
  }

  /// Takes the job out, if it is there; it has unwound then.
  mutating func remove(_ id: JobID) {
    for entry in entries where entry.job.id == id { entry.strand.cancel() }
    entries.removeAll { $0.job.id == id }
  }

  /// Lets the job whose turn it is work until it ticks or waits.
  ///
  /// - Returns: the job and what came of it; nil when no job can go on. Of a damaged checkpoint nothing comes.
  mutating func step() -> JobTurn? {
    guard let place = next() else { return nil }
    let entry = entries[place]
    let workspace = entry.turn.workspace
    let started = workspace.now()
    served = entry.used
    workspace.turn = entry.turn
    let state = entry.strand.resume()
    workspace.turn = nil
    entries[place].used += workspace.now() - started
    if let damage = entry.turn.damage {
      return JobTurn(job: entry.job.id, outcome: .failure(JobFailure(damage)))
    }
    guard case .ended(let outcome) = state else { return JobTurn(job: entry.job.id, outcome: nil) }
    return JobTurn(job: entry.job.id, outcome: outcome)
  }

  private mutating func next() -> Int? {
    var best: (place: Int, urgency: Urgency)?
    for (place, entry) in entries.enumerated() {
      guard entry.turn.isReady else {
        entries[place].isWaiting = true
        continue
      }
      if entry.isWaiting {
        // Time spent waiting is not saved up.
        entries[place].used = max(entry.used, served)
        entries[place].isWaiting = false
      }
      let urgency = entry.job.urgency(in: entry.turn.workspace)
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
