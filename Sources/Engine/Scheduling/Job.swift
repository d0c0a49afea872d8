import Checkpoints

/// How urgent a job's next step is; what comes first here goes strictly first.
enum Urgency: Int, Comparable {
  /// What the user looks at and waits for.
  case inSight
  /// Answers, and what changes the running model; these share the time evenly.
  case live
  /// Whatever can wait until nothing else is to do.
  case background

  static func < (left: Urgency, right: Urgency) -> Bool { left.rawValue < right.rawValue }
}

/// Whether a job has more to do.
enum JobState {
  case unfinished, finished
}

/// Why a job cannot go on: one sentence that says what failed and what to do.
struct JobFailure: Error, Hashable {
  let sentence: String

  init(sentence: String) { self.sentence = sentence }

  /// A failure of another room, which says what it is.
  init(_ error: some Error & CustomStringConvertible) { sentence = error.description }
}

/// Work in steps of a few milliseconds, between which the engine hears commands.
protocol Job {
  var id: JobID { get }

  /// How urgent the next step is; nil while the job waits for another, or for a server.
  func urgency(in workspace: Workspace) -> Urgency?

  /// Whether a server may still have something for it.
  var awaitsServer: Bool { get }

  /// That bytes of a checkpoint beside the open one could not be read since it was opened.
  var damage: CheckpointError? { get }

  /// Does the next bit of work and says in events what came of it.
  mutating func step(in workspace: inout Workspace) throws(JobFailure) -> JobState
}

extension Job {
  var awaitsServer: Bool { false }
  var damage: CheckpointError? { nil }
}
