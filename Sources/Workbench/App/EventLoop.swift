import Engine
import Terminal

/// Turns events into states, states into frames, and effects into deeds.
///
/// Runs on the one thread that owns the screen and sleeps until something happens. A frame is drawn only after a change:
/// at most 60 a second for what the engine says, and sooner for what a person does.
struct EventLoop {
  private var state: AppState
  private let screen: Screen
  private let world: OutsideWorld
  private let inbox: EventInbox
  private var trace: FrameTrace?
  /// When a person last did something.
  private var lastDeed = ContinuousClock.now
  private var hasEnded = false
  private var signal: Int32?

  /// The least time between two frames.
  private static let frameTime = Duration.milliseconds(16)
  /// The least time before a frame that answers a key: nobody types faster, and a mouse must not flood a slow line.
  private static let answerTime = Duration.milliseconds(4)

  /// How long after the last key somebody is taken to look at the screen.
  private static let presence = Duration.seconds(10)

  init(
    state: AppState, screen: Screen, world: OutsideWorld, inbox: EventInbox,
    trace: FrameTrace? = nil
  ) {
    (self.state, self.screen, self.world) = (state, screen, world)
    (self.inbox, self.trace) = (inbox, trace)
  }

  /// Runs to the end.
  ///
  /// - Returns: the signal that ended it; nil if the user did.
  mutating func run(opening path: String?) -> Int32? {
    if let path {
      state.opening = .opening(path: path)
      world.engine.send(.open(path: path))
    } else {
      for effect in state.showStart() { carryOut(effect) }
    }
    if state.showsLinks { screen.setLinks(true) }
    let clock = ContinuousClock()
    // A terminal that has answered by now gets the right theme with its first frame; nobody waits for others.
    take(screen.nextEvents(timeoutMilliseconds: 0).map(AppEvent.input) + inbox.take())
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
      if deeds > 0 { lastDeed = clock.now }
      isAwaited = isAwaited || deeds > 0
      trace?.takes(inputs: deeds)
      take(inputs.map(AppEvent.input) + inbox.take())
    }
    world.finish()
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
    case .copy(let text): screen.copyToClipboard(text)
    case .setMouse(let isOn): screen.setMouse(isOn)
    case .setLinks(let isOn): screen.setLinks(isOn)
    case .call(let sentence, let attention):
      if .now - lastDeed > Self.presence { screen.call(sentence, by: attention) }
    case .suspend: screen.suspend()
    case .redraw: screen.redraw()
    case .quit: hasEnded = true
    case .end(let signal):
      self.signal = signal
      hasEnded = true
    default: world.carryOut(effect)
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
