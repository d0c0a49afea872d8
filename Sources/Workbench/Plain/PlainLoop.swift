import Dispatch
import Engine
import Synchronization
import Terminal

/// The workbench as lines, for screen readers and scripts: commands are read, sentences are written.
///
/// States change by the same ``update(_:_:)`` and commands as on the screen; only what is told of them is other.
struct PlainLoop {
  private var state: AppState
  private let world: OutsideWorld
  private let inbox: EventInbox
  private let input: PlainInput
  private let write: (String) -> Void
  /// Whether each line waits for what the line before has asked for, as in a script.
  private let isScript: Bool
  private var hasEnded = false
  private var hasFailed = false
  /// Whether files are written that the line before has asked for.
  private var hasSettled = false
  private let clock = ContinuousClock()
  private var lastProgress = ContinuousClock.now

  /// How often the progress of a job is told.
  private static let progressPause = Duration.seconds(10)

  init(
    state: AppState, world: OutsideWorld, inbox: EventInbox, input: PlainInput, isScript: Bool,
    write: @escaping (String) -> Void
  ) {
    (self.state, self.world, self.inbox, self.input) = (state, world, inbox, input)
    (self.isScript, self.write) = (isScript, write)
  }

  /// Runs to the end.
  ///
  /// - Returns: whether all that was asked for was done.
  mutating func run(opening path: String?) -> Bool {
    if let path {
      state.opening = .opening(path: path)
      world.engine.send(.open(path: path))
    } else {
      tell { state in state.showStart() }
    }
    while !hasEnded {
      for event in inbox.take() { tell { state in update(&state, event) } }
      tellProgress()
      guard !hasEnded, isReady else {
        input.wait(seconds: 1)
        continue
      }
      if isScript, !hasSettled {
        // What the line before has written is written before the next is taken.
        world.finish()
        hasSettled = true
        continue
      }
      switch input.next() {
      case .line(let line):
        take(line)
        hasSettled = false
      case .end: hasEnded = true
      case .nothing: input.wait(seconds: 1)
      }
    }
    world.finish()
    return !hasFailed
  }

  /// Whether jobs are under way that bring results which somebody waits for.
  var hasWork: Bool { state.jobs.hasWork }

  /// Whether the next line may be taken.
  private var isReady: Bool {
    if case .opening = state.opening { return false }
    if case .awaited = state.session.phase { return false }
    guard isScript else { return true }
    let isBusy = state.jobs.jobs.contains { $0.isRunning && ($0.kind.isWork || $0.kind == .part) }
    let awaitsExport = state.overlay == .export && state.export.preview == nil
    let measures = state.screen == .hardware && state.hardware.isMeasuring
    return !isBusy && !awaitsExport && !measures && !state.budget.isPending
      && !state.start.isLooking
  }

  private mutating func take(_ line: String) {
    var tells = false
    tell { state in
      let (effects, isTold) = state.take(line: line)
      tells = isTold
      return effects + Self.settled(&state)
    }
    if tells { say(PlainText(state: state).lines) }
  }

  /// What holds after a line as after any other event.
  private static func settled(_ state: inout AppState) -> [Effect] { update(&state, .input(.wake)) }

  /// Changes the state, does what that asks for, and says what is new.
  private mutating func tell(_ change: (inout AppState) -> [Effect]) {
    let before = state
    let effects = change(&state).withoutStale()
    say(PlainNews(from: before, to: state).lines)
    if state.notice?.kind == .failure, state.notice != before.notice { hasFailed = true }
    if let flaw = state.line?.flaw, flaw != before.line?.flaw { hasFailed = true }
    if case .failed = state.opening, state.model == nil { hasEnded = true }
    for effect in effects {
      switch effect {
      case .quit, .end: hasEnded = true
      default: world.carryOut(effect)
      }
    }
  }

  private mutating func tellProgress() {
    guard clock.now - lastProgress > Self.progressPause else { return }
    lastProgress = clock.now
    guard let job = state.jobs.front, job.kind.isWork, !job.isWaiting else { return }
    say([PlainText(state: state).progress(of: job)])
  }

  private func say(_ lines: [String]) { for line in lines { write(line) } }
}

/// Lines from another thread, which waits for them.
final class PlainInput: Sendable {
  enum Next {
    case line(String)
    case nothing
    case end
  }

  private struct State: Sendable {
    var lines: [String] = []
    var hasEnded = false
  }

  private let state = Mutex(State())
  private let signal = DispatchSemaphore(value: 0)

  /// - Parameter read: The next line, without its end; nil where there are no more. Called on a thread of its own.
  func begin(reading read: @escaping @Sendable () -> String?) {
    DispatchQueue(label: "vise.lines").async { [self] in
      while let line = read() {
        state.withLock { $0.lines.append(line) }
        signal.signal()
      }
      state.withLock { $0.hasEnded = true }
      signal.signal()
    }
  }

  func next() -> Next {
    state.withLock { state in
      guard state.lines.isEmpty else { return .line(state.lines.removeFirst()) }
      return state.hasEnded ? .end : .nothing
    }
  }

  /// Waits for a line or another event, but not for long.
  func wait(seconds: Int) { _ = signal.wait(timeout: .now() + .seconds(seconds)) }

  /// Ends a wait.
  func wake() { signal.signal() }
}
