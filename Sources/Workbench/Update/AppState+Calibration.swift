import Checkpoints
import Compression
import Engine

extension AppState {
  /// Collects on a text what calibrated methods need.
  mutating func calibrate(_ path: String) -> [Effect] {
    guard model != nil else {
      inform("No model is open; o opens one")
      return []
    }
    calibrationText = path
    let id = jobs.queue(.calibrate, for: path)
    inform("Calibrating on \(path)")
    return [.engine(.calibrate(id, CalibrationRequest(textPath: expanded(path))))]
  }

  /// Measures sensitivity on a text, opens what was saved, or says where to save it.
  mutating func measureSensitivity(_ text: String) -> [Effect] {
    guard model != nil else {
      inform("No model is open; o opens one")
      return []
    }
    let words = text.split(separator: " ", maxSplits: 1)
    let path = words.count > 1 ? String(words[1].trimmingBlanks()) : ""
    switch SensitivityVerb(rawValue: String(words.first ?? "")) {
    case let verb? where path.isEmpty:
      refuse("sensitivity \(verb.rawValue) needs a path")
      return []
    case .open: return [.engine(.openSensitivity(path: expanded(path)))]
    case .save:
      sensitivityPath = path
      guard model?.sensitivity.isEmpty == true else {
        return [.engine(.saveSensitivity(path: expanded(path)))]
      }
      inform("Measuring will save to \(path); X measures")
      return []
    case nil: break
    }
    calibrationText = text
    let id = jobs.queue(.sensitivity, for: text)
    inform("Measuring sensitivity on \(text)")
    // What was measured before need not be what the target can hold.
    let suits = target.map { budget.choices.suit($0) } ?? true
    let choices = suits ? budget.choices : .offered(for: target)
    let request = SensitivityRequest(
      textPath: expanded(text), candidates: choices.candidates,
      savePath: sensitivityPath.map { expanded($0) })
    return [.engine(.measureSensitivity(id, request))]
  }

  /// Measures, on a text, the layers that cost most of what is proposed, or else of the plan.
  mutating func refine(on path: String) -> [Effect] {
    guard isMeasured(), let model else { return [] }
    evaluationText = path
    let schemes = budget.proposal.map { model.assignment($0.schemes) } ?? model.schemes
    let id = jobs.queue(.refine, for: path)
    inform("Measuring single layers on \(path)")
    let request = RefinementRequest(
      schemes: model.named(schemes),
      textPath: expanded(path), savePath: sensitivityPath.map { expanded($0) })
    return [.engine(.refineSensitivity(id, request))]
  }

  // MARK: What came of it

  mutating func take(_ summary: CalibrationSummary, of id: JobID) {
    calibration = summary
    let text = CalibrationFigures(summary, glyphs: glyphs).line
    jobs.note(text, for: id)
    if let warning = summary.warning {
      warn(warning)
    } else {
      confirm("Calibrated: \(text)")
    }
  }

  mutating func take(
    _ summary: SensitivitySummary, of id: JobID?, isDraft: Bool = false
  ) -> [Effect] {
    guard model != nil else { return [] }
    model?.note(summary)
    budget.forgetSolves()
    budget.agreement = summary.agreement
    budget.choices = SchemeChoices(measured: summary.layers.flatMap { $0.schemes.map(\.scheme) })
    if let model { table.refilter(for: model) }
    var effects: [Effect] = [.engine(.drawFrontier(allocationSettings))] + readLayoutAgain()
    if let memory = session.pendingBudget { effects += putBack(memory) }
    // What an earlier session measured is there as if it had never ended.
    if id == nil, summary.path == session.sensitivityPath {
      if let note = summary.note { warn(note) }
      return effects
    }
    let saved = summary.path.map { ", \(id == nil ? "from" : "saved to") \($0)" } ?? ""
    let text = "sensitivity of \(summary.layers.count) layers\(saved)"
    if let id { jobs.note(text, for: id) }
    if let note = summary.note {
      // What is known in the end must not be hidden by what was said of the draft.
      if isDraft { inform(note) } else { warn(note) }
    } else {
      confirm(text.prefix(1).uppercased() + text.dropFirst())
    }
    return effects + keptSensitivity
  }

  /// Takes on what predictions learned: the same schemes, other KLDs.
  mutating func refine(with summary: SensitivitySummary, of id: JobID) -> [Effect] {
    guard model != nil else { return [] }
    model?.note(summary)
    budget.agreement = summary.agreement
    if let model { table.refilter(for: model) }
    if let agreement = summary.agreement, jobs[id]?.kind == .refine {
      let text = AgreementText(agreement).line
      jobs.note(text, for: id)
      inform(text.prefix(1).uppercased() + text.dropFirst())
    }
    return solveAgain() + keptSensitivity
  }

  /// Says so when the plan now holds methods that need a calibration there is none of.
  mutating func warnOfMissingCalibration(_ layers: [Int]) {
    guard calibration == nil, let model, jobs.running(.calibrate) == nil,
      jobs.running(.sensitivity) == nil
    else { return }
    let needy = layers.first { model.schemes[$0].calibrationNeed != .nothing }
    guard let needy else { return }
    warn("\(model.schemes[needy].summary) needs calibration: C calibrates on a text")
  }
}

/// What `:sensitivity` does with a path besides measuring on it.
enum SensitivityVerb: String, CaseIterable, Hashable, Sendable {
  case open, save

  var help: String {
    switch self {
    case .open: "reads what was measured before"
    case .save: "saves what is measured, now or when it is"
    }
  }
}
