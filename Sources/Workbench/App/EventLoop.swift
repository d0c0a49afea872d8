import Engine
import Terminal

/// Turns events into states, states into frames, and effects into deeds.
///
/// Runs on the one thread that owns the screen and sleeps until something happens. A frame is drawn only after a change:
/// at most 60 a second for what the engine says, and sooner for what a person does.
struct EventLoop {
  private var state: AppState
  private let screen: Screen
  private let engine: any EngineLink
  private let inbox: EventInbox
  private let files: FileWorker
  private let sessions: SessionKeeper
  private let machines: MachineWorker
  private let models: ModelSearchWorker
  private var trace: FrameTrace?
  private var hasEnded = false
  private var signal: Int32?

  /// The least time between two frames.
  private static let frameTime = Duration.milliseconds(16)
  /// The least time before a frame that answers a key: nobody types faster, and a mouse must not flood a slow line.
  private static let answerTime = Duration.milliseconds(4)

  init(
    state: AppState, screen: Screen, engine: any EngineLink, inbox: EventInbox,
    sessions: SessionKeeper,
    recent: @escaping @Sendable () -> [StartEntry], trace: FrameTrace? = nil
  ) {
    self.state = state
    self.screen = screen
    self.engine = engine
    self.inbox = inbox
    self.trace = trace
    models = ModelSearchWorker(recent: recent) { inbox.post(.models($0)) }
    machines = MachineWorker { inbox.post(.machine($0)) }
    files = FileWorker { inbox.post(.file($0)) }
    self.sessions = sessions
  }

  /// Runs to the end.
  ///
  /// - Returns: the signal that ended it; nil if the user did.
  mutating func run(opening path: String?) -> Int32? {
    if let path {
      state.opening = .opening(path: path)
      engine.send(.open(path: path))
    } else {
      for effect in state.showStart() { carryOut(effect) }
    }
    let clock = ContinuousClock()
    var drawn: AppState?
    var lastFrame = clock.now - Self.frameTime
    var isAwaited = false
    while !hasEnded {
      var timeout: Int?
      if drawn != state || screen.needsFrame {
        let wait = lastFrame + (isAwaited ? Self.answerTime : Self.frameTime) - clock.now
        if wait <= .zero {
          screen.present(view(state, size: screen.size))
          lastFrame = clock.now
          drawn = state
          isAwaited = false
          trace?.drew()
        } else {
          timeout = Int(wait / .milliseconds(1)) + 1
        }
      } else {
        isAwaited = false
        trace?.forget()
      }
      trace?.waits()
      let inputs = screen.nextEvents(timeoutMilliseconds: timeout)
      let deeds = inputs.count { $0 != .wake }
      isAwaited = isAwaited || deeds > 0
      trace?.takes(inputs: deeds)
      take(inputs.map(AppEvent.input) + inbox.take())
    }
    files.finish()
    sessions.finish()
    return signal
  }

  /// Whether jobs are under way that bring results which somebody waits for.
  var hasWork: Bool { state.jobs.hasWork }

  private mutating func take(_ events: [AppEvent]) {
    var effects: [Effect] = []
    for event in events { effects += update(&state, event) }
    for effect in effects.withoutStale() { carryOut(effect) }
  }

  private mutating func carryOut(_ effect: Effect) {
    switch effect {
    case .engine(let command): engine.send(command)
    case .readPlan, .readPrompt, .readPrompts, .writePlan, .writeText, .list: files.carryOut(effect)
    case .openSession, .chooseSession, .keepSession, .keepEvaluation, .keepTheme, .writeSnapshots:
      sessions.carryOut(effect)
    case .findModels(let folder): models.find(folder: folder)
    case .measureMachine(let readsFiles): machines.measure(readsFiles: readsFiles)
    case .copy(let text): screen.copyToClipboard(text)
    case .setMouse(let isOn): screen.setMouse(isOn)
    case .suspend: screen.suspend()
    case .redraw: screen.redraw()
    case .quit: hasEnded = true
    case .end(let signal):
      self.signal = signal
      hasEnded = true
    }
  }
}

extension [Effect] {
  /// The effects without plans, looks, budgets and snapshots that a later one of the same batch replaces.
  ///
  /// A plan that something measures or talks to in between stays.
  func withoutStale() -> [Effect] {
    var kept: [Effect] = []
    var (hasPlan, hasLook, hasBudget, hasFrontier) = (false, false, false, false)
    var hasSession = false
    var saved: Set<String> = []
    for effect in reversed() {
      switch effect {
      case .engine(.setPlan):
        if hasPlan { continue }
        hasPlan = true
      case .engine(.look):
        if hasLook { continue }
        hasLook = true
      case .engine(.allocate):
        if hasBudget { continue }
        hasBudget = true
      case .engine(.drawFrontier):
        if hasFrontier { continue }
        hasFrontier = true
      case .engine: (hasPlan, hasLook) = (false, false)
      case .keepSession:
        if hasSession { continue }
        hasSession = true
      case .chooseSession, .openSession: hasSession = false
      case .writeSnapshots(_, let fingerprint):
        guard saved.insert(fingerprint).inserted else { continue }
      default: break
      }
      kept.append(effect)
    }
    return kept.reversed()
  }
}
