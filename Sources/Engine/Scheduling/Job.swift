import Work

/// How urgent a job's next bit of work is; what comes first here goes strictly first.
enum Urgency: Int, Comparable {
  /// What the user looks at and waits for.
  case inSight
  /// Answers, and what changes the running model; these share the time evenly.
  case live
  /// Whatever can wait until nothing else is to do.
  case background

  static func < (left: Urgency, right: Urgency) -> Bool { left.rawValue < right.rawValue }
}

/// What a job brings that others may wait for.
enum Lane {
  case calibration, export, other
}

typealias JobFailure = WorkFailure

/// Work that takes long, as the loop that it is: it ticks every few milliseconds, and the engine hears commands meanwhile.
protocol Job {
  var id: JobID { get }
  var lane: Lane { get }

  /// How urgent it is now; asked before each bit of work.
  func urgency(in workspace: Workspace) -> Urgency

  /// Works to the end, and says in events what came of it.
  ///
  /// - Throws: ``JobFailure`` when it cannot go on, or `turn` says that it is to end.
  func run(_ turn: Turn) throws(JobFailure)
}

extension Job {
  var lane: Lane { .other }
  func urgency(in workspace: Workspace) -> Urgency { .background }
}
