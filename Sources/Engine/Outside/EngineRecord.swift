import Allocation
import Checkpoints
import Compression

/// What an engine has done with a model: what a workbench that comes to it has to know.
///
/// Reports on layers, calibration and sensitivity are not in it; events tell them after it.
public struct EngineRecord: Codable, Hashable, Sendable {
  /// The model's path from the root.
  public var path: String
  /// The model as it was opened.
  public var model: ModelDescription
  /// What the plan prunes it to; nil where it does not.
  public var restructured: ModelDescription?
  /// The last plan that was not refused; nil for the empty one.
  public var plan: Plan?
  /// Jobs under way, and the last that have ended, the oldest first.
  public var jobs: [JobRecord]
  /// Whether the engine has ended since, and all that is left of it are results that nobody has seen.
  public var isLeft: Bool

  public init(
    path: String, model: ModelDescription, restructured: ModelDescription? = nil,
    plan: Plan? = nil, jobs: [JobRecord] = [], isLeft: Bool = false
  ) {
    self.path = path
    self.model = model
    self.restructured = restructured
    self.plan = plan
    self.jobs = jobs
    self.isLeft = isLeft
  }
}

/// A job with what it was asked for and what came of it so far.
public struct JobRecord: Codable, Hashable, Sendable {
  public var id: JobID
  public var kind: JobKind
  public var title: String
  /// The command that began it; nil for the engine's own jobs.
  public var command: EngineCommand?
  /// The plan at that time; nil for the empty one.
  public var plan: Plan?
  public var progress: JobProgress?
  /// What it said, without what later events replace.
  public var events: [EngineEvent]
  /// Nil while it is under way.
  public var outcome: JobOutcome?
  /// Whether a workbench was there when it ended.
  public var wasSeen: Bool

  public init(
    id: JobID, kind: JobKind, title: String, command: EngineCommand? = nil, plan: Plan? = nil,
    progress: JobProgress? = nil, events: [EngineEvent] = [], outcome: JobOutcome? = nil,
    wasSeen: Bool = false
  ) {
    self.id = id
    self.kind = kind
    self.title = title
    self.command = command
    self.plan = plan
    self.progress = progress
    self.events = events
    self.outcome = outcome
    self.wasSeen = wasSeen
  }

  /// Whether it is somebody's work, and goes on when the workbench is closed.
  public var isWork: Bool { kind.isWork && id.number >= 0 }
}

extension JobKind {
  /// Whether jobs of this kind bring results that are waited for; the others serve what is on the screen.
  public var isWork: Bool {
    switch self {
    case .generate, .evaluate, .logits, .calibrate, .sensitivity, .refine, .prune, .compare,
      .export, .layout:
      true
    case .preview, .compress, .connect, .tokens, .part, .pack, .cluster: false
    }
  }
}
