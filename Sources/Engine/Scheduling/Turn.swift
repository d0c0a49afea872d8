import Checkpoints
import Work

/// What a job is handed while it runs: the workspace, and the way to let others have their turn.
///
/// Between two turns anything in the workspace may change; nothing does during one.
final class Turn {
  let job: JobID
  let workspace: Workspace
  /// Checkpoints beside the open one that the job reads.
  var otherCheckpoints: [Checkpoint] = []
  /// What has to be true before the job goes on; nil when it can at any time.
  private var condition: (() -> Bool)?
  /// Whether a server may still make the condition true, and not only another job.
  private(set) var awaitsServer = false
  /// Lets the engine go on; set once the job has begun.
  var pause: Strand.Pause = {}

  init(_ job: JobID, in workspace: Workspace) {
    self.job = job
    self.workspace = workspace
  }

  /// Whether the job can go on.
  var isReady: Bool { condition?() ?? true }

  /// That bytes which the job may have read were zeros in place of a file's.
  var damage: CheckpointError? {
    workspace.checkpoint.damage ?? otherCheckpoints.lazy.compactMap(\.damage).first
  }

  /// Lets the engine hear commands, and more urgent jobs go first.
  ///
  /// - Throws: ``JobFailure`` when the job is to end.
  func tick() throws(JobFailure) {
    if let damage { throw JobFailure(damage) }
    try pause()
  }

  /// Waits for something that other jobs do, or a server.
  ///
  /// - Parameters:
  ///   - awaitsServer: Whether a server may do it.
  ///   - isReached: Asked whenever it is time to choose a job.
  /// - Throws: ``JobFailure`` when the job is to end.
  func wait(
    awaitsServer: Bool = false, until isReached: @escaping () -> Bool
  ) throws(JobFailure) {
    guard !isReached() else { return }
    (condition, self.awaitsServer) = (isReached, awaitsServer)
    defer { (condition, self.awaitsServer) = (nil, false) }
    try pause()
  }

  /// The pace of work that is told as so many units, as people count them.
  ///
  /// - Parameters:
  ///   - total: The units.
  ///   - estimate: Seconds that they should take, which is said at once; nil where nobody knows.
  /// - Returns: What the work is handed.
  func pace(of total: Int, estimate: Double? = nil) -> Pace {
    if let estimate {
      let progress = JobProgress(completed: 0, total: total, secondsLeft: estimate)
      workspace.emit(.jobProgress(job, progress))
    }
    var meter = ProgressMeter(workLeft: 1, estimate: estimate, now: workspace.now())
    return Pace { [self] share throws(JobFailure) in
      // Shares of windows and layers are quotients, which must not be a unit short by rounding.
      report(by: &meter, completed: Int(share * Double(total) + 1e-6), of: total, left: 1 - share)
      try tick()
    }
  }

  /// Says how far the job has come, if it is time to.
  func report(by meter: inout ProgressMeter, completed: Int, of total: Int, left: Double) {
    let progress = meter.report(
      completed: completed, of: total, workLeft: left, now: workspace.now())
    if let progress { workspace.emit(.jobProgress(job, progress)) }
  }
}
