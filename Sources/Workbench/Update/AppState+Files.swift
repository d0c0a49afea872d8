import Checkpoints
import Compression
import Engine
import Export
import Sessions

extension AppState {
  // MARK: Saving and opening plans

  /// Saves the plan where it came from, or at `path`; asks for one if there is none.
  mutating func write(to path: String?) -> [Effect] {
    guard model != nil else {
      inform("No model is open, so there is no plan to save")
      return []
    }
    guard let path = path ?? history.path else { return ask(for: .write) }
    let overwrites: Overwriting =
      path == history.path ? .whatIsKnown(history.saved) : .nothing
    return [.writePlan(planToWrite, path: path, overwrites: overwrites)]
  }

  /// Saves the plan and quits once it is on the disk.
  mutating func writeAndQuit(to path: String?) -> [Effect] {
    guard model != nil else { return [.quit] }
    guard let path = path ?? history.path else { return ask(for: .writeQuit) }
    isQuittingAfterWrite = true
    return write(to: path)
  }

  /// The plan with the target that it is made for, which files keep beside it.
  private var planToWrite: Plan {
    var plan = history.current
    plan.target = target?.rawValue
    return plan
  }

  /// Where a plan without a file would go.
  var suggestedPlanPath: String {
    history.path ?? (model.map { "\($0.description.name).plan.yaml" } ?? "")
  }

  mutating func openPlan(_ path: String) -> [Effect] {
    guard model != nil else {
      inform("Open a model first; a plan is for one")
      return []
    }
    return [.readPlan(path: path)]
  }

  mutating func openCheckpoint(_ path: String) -> [Effect] {
    guard history.isSaved else {
      overlay = .confirmation(
        confirmation("open another model", then: .open(path: path)))
      return []
    }
    return follow(.open(path: path))
  }

  /// Quits at once after `!`, or asks first where the plan has changes that its file does not hold.
  mutating func quit(_ argument: String? = nil) -> [Effect] {
    guard !history.isSaved, argument != "!" else { return [.quit] }
    overlay = .confirmation(confirmation("quit", then: .quit))
    return []
  }

  /// Asks what to do with an unsaved plan before going on.
  private func confirmation(
    _ what: String, then consequence: Confirmation.Consequence
  ) -> Confirmation {
    let fate =
      session.phase == .kept && !session.isBehind ? "; the session is kept" : ", drop the changes"
    var choices = [
      Confirmation.Choice(key: "d", label: what + fate, consequences: [consequence])
    ]
    if consequence == .quit {
      let write = Confirmation.Consequence.writePlan(
        path: suggestedPlanPath,
        overwrites: history.path == nil ? .nothing : .whatIsKnown(history.saved))
      choices.insert(
        .init(
          key: "w", label: "write \(suggestedPlanPath) and quit",
          consequences: [write, .quitAfterWriting]),
        at: 0)
    }
    return Confirmation(
      title: "Unsaved plan", question: "The plan \(history.name) has changes that are not saved.",
      choices: choices)
  }

  mutating func follow(_ consequence: Confirmation.Consequence) -> [Effect] {
    switch consequence {
    case .writePlan(let path, let overwrites):
      return [.writePlan(planToWrite, path: path, overwrites: overwrites)]
    case .quit: return [.quit]
    case .quitAfterWriting:
      isQuittingAfterWrite = true
      return []
    case .goOn: return acceptSession()
    case .beginAnew: return declineSession()
    case .open(let path):
      opening = .opening(path: path)
      return [.engine(.open(path: expanded(path)))]
    }
  }

  // MARK: What came of it

  mutating func take(_ event: FileEvent) -> [Effect] {
    switch event {
    case .planRead(let path, let plan): return use(plan, from: path)
    case .planUnreadable(_, let reason): refuse(reason)
    case .promptRead(let path, let text): return take(promptFile: path, text)
    case .promptIsText(let text): return send(text)
    case .promptsRead(let path, let prompts): return take(prompts: prompts, from: path)
    case .promptsUnreadable(let reason): refuse(reason)
    case .planWritten(let path, var plan):
      plan.target = nil
      history.markSaved(plan, at: path)
      confirm("Saved \(path)")
      if isQuittingAfterWrite { return [.quit] }
    case .planExists(let path): askToOverwrite(path, "There is a file \(path).")
    case .planChanged(let path):
      askToOverwrite(path, "\(path) was changed elsewhere since it was read or written here.")
    case .planUnwritable(_, let reason):
      isQuittingAfterWrite = false
      refuse(reason)
    case .snapshotsRead(let fingerprint, let read, let isOlder):
      guard fingerprint == model?.whole.fingerprint else { break }
      snapshots.load(read)
      if isOlder, !read.isEmpty {
        warn(
          "The snapshots were saved by an earlier version, which told models apart by shapes alone: "
            + "they may be of another model of these shapes")
      }
    case .snapshotsMerged(let fingerprint, let written, let merged):
      guard fingerprint == model?.whole.fingerprint else { break }
      snapshots.adopt(merged, since: written)
    case .snapshotsUnreadable(let fingerprint, let reason):
      guard fingerprint == model?.whole.fingerprint else { break }
      warn("\(reason); it stays as it is")
    case .snapshotsUnwritable(let reason): refuse(reason)
    case .evaluationsRead(let fingerprint, let read):
      guard fingerprint == model?.whole.fingerprint, let model else { break }
      evaluations.load(read, for: model, structure: history.current.structure)
    case .evaluationKept(let fingerprint, let kept):
      if fingerprint == model?.whole.fingerprint { evaluations.note(kept: kept) }
    case .clusterJobsRead(let fingerprint, let jobs):
      if fingerprint == model?.whole.fingerprint { return find(jobs) }
    case .sessionFound(let fingerprint, let found, let sensitivity, let hasSensitivity):
      guard fingerprint == model?.whole.fingerprint else { break }
      return take(found: found, sensitivity: sensitivity, hasSensitivity: hasSensitivity)
    case .sessionUnkept(let reason):
      session.phase = .unkept
      warn("\(reason): nothing of this session is kept for the next; the file stays as it is")
    case .sessionUnwritten(let reason):
      warn("\(reason): the last change is not kept yet")
      if session.phase == .kept { (session.written, session.isBehind) = (nil, true) }
    case .sessionWritten: session.isBehind = false
    case .choicesFound(let choices): return take(choices)
    case .textWritten(let path): confirm("Written to \(path)")
    case .textUnwritable(_, let reason): refuse(reason)
    case .listed(let directory, let names):
      listings[directory] = names
      if line?.action?.argument.isPath == true { return renewCompletions() }
    }
    return []
  }

  /// Asks before a file is lost that nobody here has seen.
  private mutating func askToOverwrite(_ path: String, _ question: String) {
    let consequences: [Confirmation.Consequence] =
      [.writePlan(path: path, overwrites: .anything)]
      + (isQuittingAfterWrite ? [.quitAfterWriting] : [])
    isQuittingAfterWrite = false
    overlay = .confirmation(
      Confirmation(
        title: "Overwrite", question: question,
        choices: [.init(key: "o", label: "overwrite it", consequences: consequences)]))
  }

  /// Makes a plan from a file the current one, if it fits the model.
  private mutating func use(_ read: Plan, from path: String) -> [Effect] {
    guard var model else { return [] }
    var plan = read
    plan.target = nil
    do throws(PlanError) {
      // A plan that prunes otherwise is for layers that the engine is yet to describe.
      if plan.structure == history.current.structure { try model.apply(plan) }
    } catch {
      var located = error
      located.file = path
      refuse("\(located)")
      return []
    }
    self.model = model
    history.record(plan, change: "plan \(path)")
    history.markSaved(plan, at: path)
    let strangers = plan.unmatchedRules(in: model.shapes).count
    if let made = plan.fingerprint, model.whole.match(of: made) == .other {
      warn("Plan \(path) was made for another checkpoint\(plan.model.map { ", \($0)" } ?? "")")
    } else if strangers > 0 {
      warn("Plan \(path): \(strangers) of its rules match no layer")
    } else {
      confirm("Plan \(path): \(Figures.totalBytes(model.plannedBytes))")
    }
    return [.engine(.setPlan(plan))] + (read.target.map { planFor($0) } ?? [])
  }
}
