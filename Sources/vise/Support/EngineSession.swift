import Checkpoints
import Compression
import Dispatch
import Engine
import Glibc

/// One engine, driven by one command of the command line from its first to its last event.
final class EngineSession {
  private enum Input: Sendable {
    case event(EngineEvent)
    case interrupt
  }

  private let engine: Engine
  private let inputs: Mailbox<Input>
  private let interrupts: any DispatchSourceSignal
  private var waiting: ArraySlice<Input> = []
  private var progress = ProgressLine()
  private var jobs: [JobID: (kind: JobKind, title: String)] = [:]
  /// What has been said of texts, and of experts that calibration missed, so that it is said once.
  private var said: Set<String> = []

  /// Starts an engine; from now on Ctrl-C ends what it does.
  init(_ settings: EngineSettings = EngineSettings()) {
    let inputs = Mailbox<Input>()
    self.inputs = inputs
    engine = Engine(settings: settings) { inputs.post(.event($0)) }
    // The signal's default action would end the process before the source hears of it.
    signal(SIGINT, SIG_IGN)
    interrupts = DispatchSource.makeSignalSource(signal: SIGINT, queue: .global())
    interrupts.setEventHandler { inputs.post(.interrupt) }
    interrupts.resume()
  }

  func send(_ command: EngineCommand) { engine.send(command) }

  /// Opens the checkpoint at `path`.
  func open(_ path: String) throws(CommandFailure) -> ModelDescription {
    send(.open(path: path))
    return try next { event in
      if case .opened(let model) = event { model } else { nil }
    }
  }

  /// The first thing that `found` makes of an event.
  ///
  /// - Throws: what an event of failure says, or that the user cancelled.
  func next<Found>(_ found: (EngineEvent) -> Found?) throws(CommandFailure) -> Found {
    while true {
      switch nextInput() {
      case .interrupt: throw CommandFailure(status: .cancelled, message: "cancelled")
      case .event(let event):
        try watch(event)
        if let result = found(event) {
          progress.clear()
          return result
        }
      }
    }
  }

  /// Ends the engine and waits for its thread.
  func close() {
    progress.clear()
    engine.shutDown()
  }

  private func nextInput() -> Input {
    while true {
      if let input = waiting.popFirst() { return input }
      waiting = inputs.waitAndTake()[...]
    }
  }

  private func watch(_ event: EngineEvent) throws(CommandFailure) {
    switch event {
    case .openFailed(_, let reason):
      throw CommandFailure(status: .unreadableModel, message: reason)
    case .planRefused(let reason): throw CommandFailure(status: .badPlan, message: reason)
    case .jobStarted(let job, let kind, let title): jobs[job] = (kind, title)
    // Answers are written as they come; a line of progress would stand in them.
    case .jobProgress(let job, let state) where jobs[job]?.kind != .generate:
      progress.show(jobs[job]?.title ?? "", jobs[job]?.kind, state)
    case .jobEnded(_, .failed(let reason)), .answerFailed(_, _, let reason):
      throw CommandFailure(status: .failed, message: reason)
    case .calibrated(.calibration, let summary):
      // Nobody named a text, so it is said which one was taken.
      progress.clear()
      note(
        "calibrated on \(summary.textPath): \(summary.windows) windows of \(summary.window) tokens")
    case .promptRead(_, _, let tokens, let total):
      progress.show(
        "reading the prompt", .generate, JobProgress(completed: tokens, total: total))
    case .token: progress.clear()
    case .promptSentRaw:
      progress.clear()
      note("the model has no chat template: the prompt is sent as it is, as with --raw")
    case .remarked(_, let sentence): warnOnce(sentence)
    case .report(let report):
      if report.standing == .exact, let sentence = report.missedExpertsNote { warnOnce(sentence) }
    case .sensitivity(nil, let summary):
      guard let note = summary.note else { break }
      progress.clear()
      warn(note)
    case .sensitivityRefused(_, let reason), .allocationRefused(_, let reason),
      .exportOutlineRefused(_, let reason):
      throw CommandFailure(status: .failed, message: reason)
    case .jobProgress, .jobEnded, .evaluating, .opened, .restructured, .compressed, .answerEnded,
      .serverFound, .tokensRead, .blockParted, .evaluated, .logitsWritten, .calibrated,
      .sensitivity, .sensitivitySaved, .sensitivityDrafted, .sensitivityRefined, .structureChosen,
      .allocated, .frontier, .predicted, .exportOutline, .layersCompared, .layoutRead,
      .exportPreview, .exported, .jobPacked:
      break
    }
  }

  /// Warns of what was not said before, in place of the line of progress.
  private func warnOnce(_ sentence: String) {
    guard said.insert(sentence).inserted else { return }
    progress.clear()
    warn(sentence)
  }
}
