import Checkpoints
import Compression
import Engine
import Export
import Sessions
import Terminal

/// Keeping the session as it happens, and going on with an earlier one.
extension AppState {
  /// Asks for what is kept of the model that was just opened.
  mutating func openSession() -> [Effect] {
    guard let model else { return [] }
    let whole = model.whole
    let choice = session.choice
    session = SessionState()
    (session.phase, session.choice, session.hasOwnPlan) = (.awaited, choice, pendingPlan != nil)
    return [
      .openSession(
        ModelRecord(
          fingerprint: whole.fingerprint, name: whole.name,
          path: engine.address?.with(path: whole.path) ?? whole.path,
          tensorBytes: whole.tensorBytes, parameterCount: whole.parameterCount),
        older: whole.headerFingerprint)
    ]
  }

  /// Keeps what is new, if anything is.
  mutating func keepSession() -> [Effect] {
    if case .offered = session.phase {
      if case .confirmation(let confirmation)? = overlay, confirmation.isAboutSession { return [] }
      return declineSession()
    }
    guard session.phase == .kept || session.written == nil, let image = sessionImage else {
      return []
    }
    guard session.phase == .kept else {
      // A new session is written once it is no longer as it began.
      if session.written == nil { session.written = image }
      return []
    }
    // What a session that goes on left beside its plan is not in the state yet.
    guard session.pending == nil else { return [] }
    // What failed is tried again with every event, also if nothing is new.
    guard image != session.written || session.isBehind else { return [] }
    session.written = image
    return [.keepSession(image)]
  }

  /// The state as it is kept; nil without a model.
  private var sessionImage: SessionImage? {
    guard let model else { return nil }
    let bytes = model.plannedBytes
    return SessionImage(
      fingerprint: model.whole.fingerprint, layers: model.layers, history: history, target: target,
      bytes: bytes, bitsPerWeight: model.bitsPerWeight(ofBytes: bytes), marks: table.marks,
      window: windowMemory(of: model), conversation: conversation.kept,
      budget: BudgetMemory(
        target: budget.target, pinned: budget.pinned.sorted(), fusesLayers: budget.fusesLayers,
        isExact: budget.isExact, list: budget.list))
  }

  private func windowMemory(of model: OpenModel) -> WindowMemory {
    var window = WindowMemory(
      screen: screen, pane: pane, lowerPane: lowerPane, tab: inspector.tab,
      isLogarithmic: inspector.isLogarithmic, order: table.order, filter: table.filter.text,
      columns: table.columns, folded: table.folded.sorted(), top: table.top,
      snapshot: snapshots.cursor,
      evaluation: evaluations.cursor, evaluationText: evaluationText,
      calibrationText: calibrationText, commands: commandHistory,
      isAnswered: answeredPlan == history.current)
    switch table.row {
    case .layer(let index): window.layer = model.layers[index].name
    case .block(let block): window.block = block
    case nil: break
    }
    window.anchor = table.anchor
    window.line = line.map { .init(purpose: $0.purpose, editor: $0.editor) }
    return window
  }

  // MARK: Going on

  /// Takes on what is kept of the model: goes on with its last session, asks, or begins a new one.
  mutating func take(found: FoundSession?, sensitivity: String?, hasSensitivity: Bool) -> [Effect] {
    guard session.phase == .awaited else { return [] }
    let (sensitivity, hasSensitivity) = sensitivityThere ?? (sensitivity, hasSensitivity)
    session.sensitivityPath = sensitivity
    var effects: [Effect] = []
    if hasSensitivity, let sensitivity, model?.sensitivity.isEmpty == true {
      effects.append(.engine(.openSensitivity(path: sensitivity)))
    }
    // Whoever has begun to work is not interrupted; the earlier session is kept.
    let hasBegun = sessionImage?.hasWork == true
    var choice = session.hasOwnPlan && session.choice == .ask ? .fresh : session.choice
    // Nor is whoever comes back to an engine that has gone on asked whether to go on.
    if choice == .ask, engine.record?.isLeft == false { choice = .resume }
    guard let found, choice != .fresh, !hasBegun else {
      session.phase = .kept
      return effects + [.chooseSession(goesOn: false)]
    }
    guard found.hasWork, choice == .ask else { return effects + goOn(with: found) }
    session.phase = .offered(found)
    overlay = .confirmation(.goingOn(with: found))
    return effects
  }

  /// Where the model's sensitivity is kept on the engine's machine, and whether there is any; nil where that is this one.
  private var sensitivityThere: (path: String?, exists: Bool)? {
    guard let place = engine.place, place.host != nil, let model else { return nil }
    let fingerprint = model.whole.fingerprint
    return (
      place.sensitivityFolder.map { "\($0)/\(fingerprint).safetensors" },
      place.sensitivities.contains(fingerprint)
    )
  }

  /// Goes on with the session that was offered.
  mutating func acceptSession() -> [Effect] {
    guard case .offered(let found) = session.phase else { return [] }
    return goOn(with: found)
  }

  mutating func declineSession() -> [Effect] {
    session.phase = .kept
    return [.chooseSession(goesOn: false)]
  }

  /// Begins anew where the engine cannot prune the model as the session that goes on does; that one is kept.
  mutating func abandonSession(_ reason: String) -> [Effect] {
    guard let model else { return [] }
    session.pending = nil
    history = PlanHistory(
      Plan(model: model.whole.name, fingerprint: model.whole.fingerprint))
    warn("The last session's plan is refused, so a new one begins and that one is kept: \(reason)")
    return declineSession()
  }

  private mutating func goOn(with found: FoundSession) -> [Effect] {
    guard var model else { return [] }
    let isWhole = found.history.current.structure == history.current.structure
    do {
      if isWhole { try model.apply(found.history.current) }
    } catch {
      warn("The last session's plan does not fit the model any more, so a new one begins: \(error)")
      return declineSession()
    }
    session.phase = .kept
    self.model = model
    history = found.history
    var effects: [Effect] = [.chooseSession(goesOn: true)]
    if history.current.rules.isEmpty == false || !isWhole {
      effects.append(.engine(.setPlan(history.current)))
    }
    if target == nil, let target = found.target { effects += plan(for: target) }
    if isWhole {
      effects += putBack(found.memory)
    } else {
      session.pending = found.memory
    }
    if found.hasWork { confirm("As you left it \(Self.ago(found.age))") }
    return effects
  }

  /// Puts back what the session left beside its plan.
  mutating func putBack(_ memory: SessionMemory) -> [Effect] {
    guard let model else { return [] }
    table.marks = Set(memory.marks.compactMap(model.index(ofLayer:)))
    if let conversation = memory.conversation {
      let server = self.conversation.settings.server
      self.conversation = conversation
      if server != nil { self.conversation.use(server) }
    }
    var effects = findServer()
    if let window = memory.window { effects += putBack(window, model) }
    if let budget = memory.budget { effects += putBack(budget) }
    if let line = memory.window?.line {
      switch line.purpose {
      case .argument(let action): effects += ask(for: action)
      case .command: effects += open(InputLine(.command, title: ":"))
      case .filter: effects += open(InputLine(line.purpose, title: "/"))
      }
      self.line?.editor = line.editor
      effects += renewCompletions()
    }
    return effects
  }

  private mutating func putBack(_ window: WindowMemory, _ model: OpenModel) -> [Effect] {
    (screen, pane, lowerPane) = (window.screen, window.pane, window.lowerPane)
    (inspector.tab, inspector.isLogarithmic) = (window.tab, window.isLogarithmic)
    let row =
      window.layer.flatMap(model.index(ofLayer:)).map(TableRow.layer)
      ?? window.block.map(TableRow.block)
    table.restore(
      order: window.order, filter: LayerFilter(window.filter).checked(on: model.layers),
      folded: Set(window.folded), row: row, anchor: window.anchor,
      top: window.top, of: model)
    table.columns = window.columns
    snapshots.cursor = max(0, min(window.snapshot, compared.count - 1))
    evaluations.cursor = max(0, min(window.evaluation, evaluations.all.count - 1))
    (evaluationText, calibrationText) = (window.evaluationText, window.calibrationText)
    commandHistory = window.commands
    if window.isAnswered { answeredPlan = history.current }
    switch screen {
    case .start: return showStart()
    case .hardware: return showHardware()
    case .layers, .chat, .budget, .compare, .history, .jobs: return []
    }
  }

  /// Puts back what the solver was asked for, and asks it again if it can answer.
  mutating func putBack(_ memory: BudgetMemory) -> [Effect] {
    budget.putBack(memory)
    guard model?.sensitivity.isEmpty == false else {
      session.pendingBudget = memory
      return []
    }
    session.pendingBudget = nil
    return solveAgain() + (memory.target.map { solve(for: $0) } ?? [])
  }

  /// Saves sensitivity where the next session finds it; that of a pruned model is not kept.
  var keptSensitivity: [Effect] {
    guard let path = session.sensitivityPath, history.current.structure == nil else { return [] }
    return [.engine(.saveSensitivity(path: path))]
  }

  static func ago(_ seconds: Double) -> String {
    if seconds < 60 { return "just now" }
    let (count, unit): (Int, String) =
      switch seconds {
      case ..<3600: (Int(seconds / 60), "minute")
      case ..<86_400: (Int(seconds / 3600), "hour")
      default: (Int(min(seconds, 1e9) / 86_400), "day")
      }
    return "\(count) \(unit)\(count == 1 ? "" : "s") ago"
  }
}

extension Confirmation {
  /// Whether it asks about an earlier session.
  var isAboutSession: Bool { choices.contains { $0.consequences.contains(.goOn) } }

  static func goingOn(with found: FoundSession) -> Confirmation {
    let count = found.history.past.count
    let changes = count == 1 ? "1 change" : "\(count) changes"
    let plan = "plan \(found.history.name)\(found.history.isSaved ? "" : "*")"
    return Confirmation(
      title: "Go on?",
      question: "Your last session, \(AppState.ago(found.age)): "
        + "\(plan), \(changes), \(Figures.totalBytes(found.bytes)).",
      choices: [
        .init(key: "y", label: "go on where you were", consequences: [.goOn]),
        .init(key: "n", label: "begin anew; that session is kept", consequences: [.beginAnew]),
      ], escape: "begin anew")
  }
}
