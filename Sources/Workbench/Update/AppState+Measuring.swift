import Compression
import Engine
import Sessions

extension AppState {
  /// Measures every plan of the Compare screen that was not yet measured on a text.
  mutating func measureAll(on path: String) -> [Effect] {
    guard let model else {
      inform("No model is open; o opens one")
      return []
    }
    guard measuring == nil else {
      refuse("Plans are being measured already; ctrl-c ends that")
      return []
    }
    evaluationText = path
    let plans = compared.filter { $0.measured?.text != path || $0.measured?.isCut == true }
    let structure = history.current.structure
    let like = plans.filter { $0.plan.structure == structure && model.schemes(of: $0.plan) != nil }
    guard !like.isEmpty else {
      inform(
        plans.isEmpty
          ? "Every plan here is measured on \(path)"
          : "Plans that prune the model otherwise are measured once they are restored")
      return []
    }
    // The plan as it is may be a snapshot as well: it is measured once.
    var known: [Plan] = []
    let distinct = like.filter { snapshot in
      defer { known.append(snapshot.plan) }
      return !known.contains(snapshot.plan)
    }
    measuring = MeasuringRun(distinct, on: path)
    return measureNext()
  }

  /// Goes on with the next plan, or says that all are measured.
  mutating func measureNext() -> [Effect] {
    guard var run = measuring, let model else { return [] }
    guard let plan = run.next() else {
      measuring = nil
      confirm("\(run.count == 1 ? "1 plan" : "\(run.count) plans") measured on \(run.textPath)")
      return []
    }
    let id = jobs.queue(.evaluate, for: "\(plan.name), \(run.place) of \(run.count)")
    run.job = id
    measuring = run
    evaluating[id] = EvaluationSubject(
      textPath: run.textPath, plan: plan.plan, schemes: model.schemes(of: plan.plan) ?? [],
      bytes: plan.bytes, bitsPerWeight: plan.bitsPerWeight)
    let request = EvaluationRequest(textPath: expanded(run.textPath), plan: plan.plan)
    return [.engine(.evaluate(id, request))]
  }

  /// What follows for the run when one of its measurements has ended.
  mutating func measuringEnded(_ id: JobID, _ outcome: JobOutcome) -> [Effect] {
    guard let run = measuring, run.job == id else { return [] }
    if case .finished = outcome { return measureNext() }
    measuring = nil
    return []
  }
}
