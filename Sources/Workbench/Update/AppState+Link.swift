import Checkpoints
import Compression
import Engine
import Sessions

/// An engine outside the workbench: coming to one that is at work already, and going on without one that is gone.
extension AppState {
  mutating func take(_ event: LinkEvent) -> [Effect] {
    switch event {
    case .connected(let place):
      engine.place = place
      if place.host != nil { homeDirectory = place.home }
      return []
    case .attached(let record): return attach(to: record)
    case .lost(let reason): return lose(reason)
    }
  }

  /// Takes on what the engine says, or holds it back until it is known what to do with what the engine has done before.
  mutating func hear(_ event: EngineEvent) -> [Effect] {
    guard engine.record == nil else {
      engine.held.append(event)
      return []
    }
    guard engine.isReopening else { return take(event) }
    switch event {
    case .opened(let description): return reopened(description)
    case .openFailed(_, let reason):
      engine.isReopening = false
      refuse("The model cannot be opened again: \(reason)")
      return []
    default: return take(event)
    }
  }

  // MARK: Coming to one

  private mutating func attach(to record: EngineRecord) -> [Effect] {
    engine.record = record
    if record.isLeft { return [] }
    if engine.isReopening, record.model.fingerprint == model?.whole.fingerprint {
      // The connection was lost, and nothing else.
      engine.isReopening = false
      let effects = takeUpRecord()
      let running = record.jobs.filter { $0.isWork && $0.outcome == nil }.map(\.kind.rawValue)
      let goesOn = running.isEmpty ? "" : "; \(running.joined(separator: ", ")) went on meanwhile"
      warn("The connection was lost, and is there again\(goesOn)")
      return effects
    }
    return begin(with: record.model)
  }

  /// Takes up what the engine has done, once the session is there that it belongs to.
  mutating func takeUpWhatWasDone() -> [Effect] {
    guard engine.record != nil else { return [] }
    switch session.phase {
    case .awaited where keepsSessions: return []
    case .offered: return []
    case .awaited, .kept, .unkept: return takeUpRecord()
    }
  }

  private mutating func takeUpRecord() -> [Effect] {
    guard let record = engine.record else { return [] }
    let held = engine.held
    (engine.record, engine.held) = (nil, [])
    var effects: [Effect] = []
    if !record.isLeft { effects += takeUp(planOf: record) }
    let before = notice
    for job in record.jobs { effects += takeUp(job) }
    for event in held { effects += take(event) }
    if let kind = notice?.kind, kind != .failure { notice = before }
    sayWhatWasDone(record)
    return effects
  }

  /// The session's plan holds; where there is none, the engine's.
  private mutating func takeUp(planOf record: EngineRecord) -> [Effect] {
    var effects: [Effect] = []
    let known = record.plan ?? history.current
    if !history.hasVersions, history.current.rules.isEmpty, history.current.structure == nil,
      !known.rules.isEmpty, known.structure == nil
    {
      effects += adopt(known, title: "the plan of the engine", on: "all layers")
    }
    if let restructured = record.restructured,
      record.plan?.structure == history.current.structure
    {
      effects += show(restructured: restructured)
    }
    if record.plan != nil || !history.current.rules.isEmpty || history.current.structure != nil {
      effects.append(.engine(.setPlan(history.current)))
    }
    return effects
  }

  private mutating func takeUp(_ job: JobRecord) -> [Effect] {
    // Whoever asked for it has sent what came of it.
    guard job.kind != .pack else { return [] }
    jobs.adopt(job.id, job.kind, for: job.command?.subject ?? job.title, progress: job.progress)
    switch job.command {
    case .evaluate(let id, let request):
      evaluating[id] = subject(of: request, request.plan ?? job.plan)
    case .generate(let id, let request):
      if conversation.takeUp(request, job: id, isNew: !job.wasSeen) {
        answeredPlan = job.plan == history.current ? job.plan : nil
      }
    default: break
    }
    var effects: [Effect] = []
    for event in job.events {
      // What was chosen has been taken on by whoever saw it; doing it twice would undo what came after.
      if job.wasSeen, event.becomesPlan { continue }
      effects += take(event)
    }
    if let outcome = job.outcome { effects += take(.jobEnded(job.id, outcome)) }
    return effects
  }

  private func subject(of request: EvaluationRequest, _ plan: Plan?) -> EvaluationSubject? {
    guard let model else { return nil }
    let plan = plan ?? Plan(model: model.whole.name, fingerprint: model.whole.fingerprint)
    let isSameStructure = plan.structure == history.current.structure
    guard isSameStructure, let schemes = model.schemes(of: plan) else {
      return EvaluationSubject(
        textPath: request.textPath, plan: plan, schemes: model.schemes, bytes: model.plannedBytes,
        bitsPerWeight: model.bitsPerWeight(ofBytes: model.plannedBytes))
    }
    let bytes = model.bytes(under: schemes)
    return EvaluationSubject(
      textPath: request.textPath, plan: plan, schemes: schemes, bytes: bytes,
      bitsPerWeight: model.bitsPerWeight(ofBytes: bytes))
  }

  private mutating func sayWhatWasDone(_ record: EngineRecord) {
    let running = record.jobs.filter { $0.isWork && $0.outcome == nil }
    let ended = record.jobs.filter { $0.isWork && $0.outcome == .finished && !$0.wasSeen }
    func titles(_ jobs: [JobRecord]) -> String {
      jobs.compactMap { self.jobs[$0.id]?.title }.joined(separator: ", ")
    }
    if !running.isEmpty { confirm("Still under way: \(titles(running))") }
    if !ended.isEmpty { confirm("Done while nobody was here: \(titles(ended)); F6 tells more") }
  }

  // MARK: Going on without one

  private mutating func lose(_ reason: String) -> [Effect] {
    (engine.record, engine.held, engine.isReopening) = (nil, [], false)
    (lookedAt, previewed) = ([], nil)
    let reason = reason.hasPrefix("the ") ? "The " + reason.dropFirst(4) : reason
    let lost = jobs.newestFirst.filter { $0.isRunning && $0.kind.isWork }.map(\.kind.rawValue)
    var effects = endLostJobs()
    if case .opening(let path) = opening {
      opening = model == nil ? .failed(path: path, reason: reason) : .idle
      engine.isDown = model != nil
      refuse(reason)
      return effects
    }
    guard model != nil else { return effects }
    engine.losses += 1
    guard engine.losses == 1 else {
      engine.isDown = true
      refuse("\(reason), again; the next change or job tries once more")
      return effects
    }
    effects += reopen()
    let jobs = lost.isEmpty ? "" : "\(lost.joined(separator: ", ")) lost, "
    refuse("\(reason): \(jobs)the plan is as it was")
    return effects
  }

  /// Ends all jobs; what an evaluation had found so far stays.
  private mutating func endLostJobs() -> [Effect] {
    var effects: [Effect] = []
    for (id, subject) in evaluating.sorted(by: { $0.key.number < $1.key.number }) {
      if let found = subject.found { effects += keep(found, of: subject, isWhole: false) }
      evaluating[id]?.found = nil
    }
    for job in jobs.newestFirst where job.isRunning && job.kind != .cluster {
      effects += take(.jobEnded(job.id, .failed("lost with its engine")))
    }
    return effects
  }

  /// Starts another engine, or finds the same again, and makes it what this session says.
  private mutating func reopen() -> [Effect] {
    guard let model else { return [] }
    engine.isReopening = true
    calibration = nil
    var commands: [EngineCommand] = [.open(path: model.whole.path)]
    if !history.current.rules.isEmpty || history.current.structure != nil {
      commands.append(.setPlan(history.current))
    }
    if let path = session.sensitivityPath, !model.sensitivity.isEmpty {
      commands.append(.openSensitivity(path: path))
    }
    return commands.map(Effect.engine)
  }

  /// Goes on with a model that is on the screen already, if it is still that.
  private mutating func reopened(_ description: ModelDescription) -> [Effect] {
    engine.isReopening = false
    guard description.fingerprint == model?.whole.fingerprint else {
      let effects = begin(with: description)
      warn("\(description.path) is another model than before")
      return effects
    }
    return outlineEffects
  }

  /// The effects of what somebody has asked for, which starts another engine first where the last one is gone.
  mutating func withEngine(_ effects: [Effect], isAsked: Bool) -> [Effect] {
    guard isAsked,
      effects.contains(where: {
        if case .engine(let command) = $0 { command.isAsked } else { false }
      })
    else { return effects }
    engine.losses = 0
    guard engine.isDown else { return effects }
    engine.isDown = false
    let opens = effects.contains { if case .engine(.open) = $0 { true } else { false } }
    return (opens ? [] : reopen()) + effects
  }
}

extension EngineCommand {
  /// Whether somebody asked for it, and it is not what the screen shows by itself.
  fileprivate var isAsked: Bool {
    switch self {
    case .look, .preview, .cancel, .outlineExport, .shutDown: false
    default: true
    }
  }

  /// What people know its job by, beside the kind.
  fileprivate var subject: String? {
    switch self {
    case .generate(_, let request): request.prompt
    case .evaluate(_, let request): request.textPath
    case .writeLogits(_, let request): request.outputPath
    case .calibrate(_, let request): request.textPath
    case .measureSensitivity(_, let request): request.textPath
    case .refineSensitivity(_, let request): request.textPath
    case .export(_, let request): request.path
    case .readLayout(_, let request): request.path
    default: nil
    }
  }
}

extension EngineEvent {
  /// Whether what it tells is made the plan at once.
  fileprivate var becomesPlan: Bool {
    switch self {
    case .structureChosen, .layoutRead: true
    default: false
    }
  }
}
