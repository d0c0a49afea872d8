import Checkpoints
import Compression
import Engine
import Inference
import Sessions

extension AppState {
  /// Takes on what the engine says.
  mutating func take(_ event: EngineEvent) -> [Effect] {
    switch event {
    case .opened(let description): return begin(with: description)
    case .restructured(let description): return show(restructured: description)
    case .openFailed(let path, let reason):
      opening = model == nil ? .failed(path: path, reason: reason) : .idle
      refuse(reason)
    case .planRefused(let reason):
      if session.pending != nil { return abandonSession(reason) }
      rollBack(reason)
    case .report(let report): model?.accept(report)
    case .compressed(let layers, let total): model?.noteReady(layers, of: total)
    case .jobStarted(let id, let kind, let title): jobs.start(id, kind, title: title)
    case .jobProgress(let id, let progress): jobs.progress(id, progress)
    case .jobEnded(let id, let outcome):
      return callAfter(id, outcome) + end(id, outcome) + measuringEnded(id, outcome)
    case .promptSentRaw(let id):
      changeExchange(of: id) { $0.isSentRaw = true }
      if id == conversation.job {
        inform("The model has no chat template: the prompt is sent as it is")
      }
    case .remarked(_, let sentence): inform(sentence)
    case .promptRead(let id, let side, let tokens, let total):
      changeExchange(of: id) { $0.note(tokens, of: total, readBy: side) }
    case .token(let id, let token): changeExchange(of: id) { $0.append(token) }
    case .answerEnded(let id, let side, let reason):
      changeExchange(of: id) { $0.end(side, reason) }
      if id == conversation.job, side == .compressed { noteAnswer() }
    case .answerFailed(let id, let side, let reason):
      if id == conversation.job { take(failure: reason, of: side) }
      if id == batch.job { batch.change { $0.fail(side, reason) } }
    case .tokensRead(let id, let readings): reading.accept(readings, of: id)
    case .blockParted(let id, let parting): reading.accept(parting, of: id)
    case .serverFound(let id, let server): take(found: server, by: id)
    case .evaluating(let id, let result): show(result, of: id)
    case .evaluated(let id, let result): return take(result, of: id)
    case .logitsWritten: break
    case .calibrated(let id, let summary): take(summary, of: id)
    case .sensitivity(let id, let summary): return take(summary, of: id)
    case .sensitivityDrafted(let id, let summary):
      return take(summary, of: id, isDraft: true)
    case .sensitivityRefined(let id, let summary): return refine(with: summary, of: id)
    case .sensitivitySaved(let path):
      if path != session.sensitivityPath { confirm("Sensitivity saved to \(path)") }
    case .sensitivityRefused(let path, let reason):
      // What cannot be read is left alone.
      if path == session.sensitivityPath { session.sensitivityPath = nil }
      refuse(reason)
    case .structureChosen(let id, let chosen): return take(chosen, of: id)
    case .allocated(let result):
      let effects = take(result)
      moveInBudget(by: 0)
      return effects
    case .allocationRefused(let target, let reason): refuseBudget(target, reason)
    case .frontier(let frontier): return take(frontier)
    case .predicted(let divergence):
      predicted = divergence
      snapshots.note(about: history.current) { $0.predicted = divergence }
    case .exportOutline(let outline): take(outline)
    case .exportOutlineRefused(let target, let reason): refuseTarget(target, reason)
    // Only the command line asks for it.
    case .layersCompared: break
    case .layoutRead(let id, let layout): return take(layout, of: id)
    case .exportPreview(let preview): return take(preview)
    case .jobPacked(let id, let packed): return send(packed, by: id)
    case .exported(let id, let written): take(written, of: id)
    }
    moveInBudget(by: 0)
    return []
  }

  /// Starts afresh with a model that was just opened, and an empty plan for it.
  mutating func begin(with description: ModelDescription) -> [Effect] {
    let model = OpenModel(description)
    self.model = model
    opening = .idle
    if screen == .start { screen = .layers }
    fitRequest(to: description)
    history = PlanHistory(Plan(model: description.name, fingerprint: description.fingerprint))
    table = LayerTable(of: model)
    evaluations = EvaluationList()
    measuring = nil
    (budget, snapshots) = (BudgetState(for: target), SnapshotList())
    export = ExportForm()
    (calibration, predicted, answeredPlan) = (nil, nil, nil)
    conversation.forgetAnswers()
    (batch, reading.isBrowsing) = (PromptBatch(), false)
    reading.forget()
    (lookedAt, previewed, layout) = ([], nil, nil)
    introduce(description)
    var effects = openSession() + outlineEffects + findServer()
    if let path = pendingPlan { effects.append(.readPlan(path: path)) }
    pendingPlan = nil
    return effects
  }

  /// Changes the turn that a job answers, in the chat or of the prompts of a file.
  private mutating func changeExchange(of job: JobID, _ edit: (inout Exchange) -> Void) {
    if job == conversation.job { conversation.change(edit) }
    if job == batch.job { batch.change(edit) }
  }

  /// Goes back to the plan that the engine still has.
  private mutating func rollBack(_ reason: String) {
    if history.undo() != nil { try? model?.apply(history.current) }
    refuse("Plan refused: \(reason)")
  }

  private mutating func end(_ id: JobID, _ outcome: JobOutcome) -> [Effect] {
    jobs.end(id, outcome)
    let job = jobs[id]
    if id == conversation.job { conversation.isRunning = false }
    let subject = evaluating[id]
    evaluating[id] = nil
    // Sorting by dB while reports arrive would make rows jump; it is done once all are there.
    if job?.kind == .compress, table.order != .natural, let model { table.rebuild(for: model) }
    switch outcome {
    case .finished: break
    case .cancelled:
      if let subject, let found = subject.found {
        let summary = EvaluationText(found, glyphs: glyphs).line
        let windows = found.windows == 1 ? "1 window" : "\(found.windows) windows"
        inform("Cancelled after \(windows): \(summary)")
        return keep(found, of: subject, isWhole: false)
      }
      if let job, !reading.hasReplaced(job) { inform("Cancelled: \(job.title)") }
    case .failed(let reason) where job?.kind == .connect: take(failure: reason, of: .served)
    case .failed(let reason): refuse(job.map { "\($0.title): \(reason)" } ?? reason)
    }
    return id == batch.job ? endPrompt(outcome) : []
  }

  /// Shows what is measured so far.
  private mutating func show(_ result: EvaluationSummary, of id: JobID) {
    guard evaluating[id] != nil else { return }
    evaluating[id]?.found = result
    jobs.note(EvaluationText(result, glyphs: glyphs).line, for: id)
  }

  private mutating func take(_ result: EvaluationSummary, of id: JobID) -> [Effect] {
    guard let subject = evaluating[id] else { return [] }
    evaluating[id]?.found = nil
    let summary = EvaluationText(result, glyphs: glyphs).line
    jobs.note(summary, for: id)
    confirm("\(summary); E shows more")
    return keep(result, of: subject)
  }

  /// Keeps what was measured of a plan, all of it or what a cancelled evaluation came to.
  mutating func keep(
    _ result: EvaluationSummary, of subject: EvaluationSubject, isWhole: Bool = true
  ) -> [Effect] {
    guard let model else { return [] }
    let evaluation = subject.evaluation(result)
    snapshots.note(about: subject.plan) { snapshot in
      // A cancelled evaluation takes nothing back that is known from more of the same text.
      if let known = snapshot.measured, known.text == subject.textPath,
        known.result.windows > result.windows
      {
        return
      }
      snapshot.measured = .init(
        text: subject.textPath, result: result, isCut: isWhole ? nil : true)
    }
    // An engine tells its last results again to whoever comes back to it.
    if evaluations.contains(evaluation) { return [] }
    let isSameStructure = subject.plan.structure == history.current.structure
    evaluations.add(evaluation, schemes: isSameStructure ? subject.schemes : nil)
    return [.keepEvaluation(evaluation, fingerprint: model.whole.fingerprint)]
  }
}
