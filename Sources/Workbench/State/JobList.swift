import Engine

/// One job, running or ended.
struct Job: Hashable, Sendable {
  let id: JobID
  let kind: JobKind
  /// What it is about, if that is not clear from its kind.
  let subject: String
  var progress: JobProgress?
  var outcome: JobOutcome?
  /// Whether it was asked for and the engine has not begun it.
  var isWaiting = false
  /// What came of it, for the Jobs screen.
  var result: String?

  var isRunning: Bool { outcome == nil }

  /// What it does and with what: `evaluate Samples/evaluation.txt`.
  var title: String { subject.isEmpty ? kind.rawValue : "\(kind.rawValue) \(subject)" }

  /// Which of several running jobs the header shows: what the user asked for and waits for.
  fileprivate var urgency: Int {
    switch kind {
    case .generate, .tokens: 0
    case .part, .evaluate, .logits, .calibrate, .sensitivity, .refine, .prune, .compare, .export,
      .connect, .layout, .pack:
      1
    case .compress: 2
    case .preview: 3
    // It needs nobody here.
    case .cluster: 4
    }
  }
}

/// The jobs of this session, newest last.
struct JobList: Hashable, Sendable {
  private(set) var jobs: [Job] = []
  private var nextNumber = 1
  private var nextClusterNumber = -1000
  /// Row under the cursor on the Jobs screen, counted from the newest job.
  var cursor = 0

  /// The one preview that may run at a time; it is not listed, for nobody asked for it by name.
  static let previewID = JobID(0)

  /// The most ended jobs that are remembered.
  static let limit = 200

  /// Queues a job that is about to be asked for, with what people know it by; returns its id.
  mutating func queue(_ kind: JobKind, for subject: String) -> JobID {
    let id = JobID(nextNumber)
    nextNumber += 1
    add(Job(id: id, kind: kind, subject: subject, isWaiting: true))
    return id
  }

  /// Adds a job that a cluster has; its number is none that an engine has for one of its own.
  mutating func addCluster(_ subject: String) -> JobID {
    defer { nextClusterNumber -= 1 }
    let id = JobID(nextClusterNumber)
    add(Job(id: id, kind: .cluster, subject: subject))
    return id
  }

  /// The newest job of a kind that is queued or runs.
  func running(_ kind: JobKind) -> Job? { jobs.last { $0.kind == kind && $0.isRunning } }

  /// The running job that people wait for most.
  var front: Job? {
    let running = jobs.filter(\.isRunning)
    let begun = running.filter { !$0.isWaiting }
    return (begun.isEmpty ? running : begun)
      .min { ($0.urgency, -$0.id.number) < ($1.urgency, -$1.id.number) }
  }

  /// The jobs as the Jobs screen lists them, newest first.
  var newestFirst: [Job] { jobs.reversed() }

  /// The job under the cursor of the Jobs screen.
  var underCursor: Job? {
    let all = newestFirst
    return all.indices.contains(cursor) ? all[cursor] : nil
  }

  /// The job under the cursor of the Jobs screen, if it runs.
  var selected: Job? {
    underCursor.flatMap { $0.isRunning ? $0 : nil }
  }

  subscript(id: JobID) -> Job? { jobs.last { $0.id == id } }

  mutating func start(_ id: JobID, _ kind: JobKind, title: String) {
    guard id != Self.previewID else { return }
    if let place = place(of: id) {
      if jobs[place].isWaiting {
        jobs[place].isWaiting = false
        return
      }
      jobs.remove(at: place)
    }
    add(Job(id: id, kind: kind, subject: title == kind.rawValue ? "" : title))
  }

  /// Takes on a job that an engine has begun before this session was there.
  mutating func adopt(
    _ id: JobID, _ kind: JobKind, for subject: String, progress: JobProgress?
  ) {
    guard id != Self.previewID else { return }
    nextNumber = max(nextNumber, id.number + 1)
    jobs.removeAll { $0.id == id }
    add(
      Job(id: id, kind: kind, subject: subject == kind.rawValue ? "" : subject, progress: progress))
  }

  /// Whether something is under way that brings a result which is waited for.
  var hasWork: Bool { jobs.contains { $0.isRunning && $0.kind.isWork && $0.id.number > 0 } }

  private mutating func add(_ job: Job) {
    jobs.append(job)
    if jobs.count > Self.limit, let oldest = jobs.firstIndex(where: { !$0.isRunning }) {
      jobs.remove(at: oldest)
    }
  }

  mutating func progress(_ id: JobID, _ progress: JobProgress) {
    guard let place = place(of: id) else { return }
    jobs[place].progress = progress
  }

  mutating func end(_ id: JobID, _ outcome: JobOutcome) {
    guard let place = place(of: id) else { return }
    jobs[place].outcome = outcome
  }

  mutating func note(_ result: String, for id: JobID) {
    guard let place = place(of: id) else { return }
    jobs[place].result = result
  }

  mutating func moveCursor(by distance: Int) {
    cursor = max(0, min(cursor + distance, jobs.count - 1))
  }

  private func place(of id: JobID) -> Int? { jobs.lastIndex { $0.id == id } }
}
