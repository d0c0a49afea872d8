import Checkpoints
import Compression
import Sessions
import Tensors

/// The History screen: every evaluation of the model, of this session and of earlier ones.
extension AppState {
  /// Shows the screen, or writes the list into a file: `csv PATH`.
  mutating func showHistory(_ text: String?) -> [Effect] {
    guard let text else { return show(.history) }
    let words = text.split(separator: " ", maxSplits: 1)
    let path = words.count > 1 ? String(words[1].trimmingBlanks()) : ""
    guard words.first == "csv", !path.isEmpty else {
      refuse("history writes its list with: csv PATH")
      return []
    }
    guard !evaluations.all.isEmpty else {
      inform("Nothing is evaluated yet; x measures both models on a text")
      return []
    }
    return [.writeText(EvaluationTable.csv(evaluations.all.map(\.evaluation)), path: path)]
  }

  /// An evaluated plan as one to list, or with the schemes of all layers as one to compare.
  func evaluatedPlan(_ entry: EvaluationList.Entry, schemes: [Scheme] = []) -> Snapshot {
    let evaluation = entry.evaluation
    return Snapshot(
      name: name(of: entry), plan: evaluation.plan,
      schemes: Dictionary(
        zip(model?.layers.map(\.name) ?? [], schemes), uniquingKeysWith: { first, _ in first }),
      bytes: evaluation.bytes, bitsPerWeight: evaluation.bitsPerWeight,
      measured: .init(text: evaluation.textPath, result: evaluation.result))
  }

  /// What people know the plan by: the plan as it is, a snapshot, or else its most common scheme.
  private func name(of entry: EvaluationList.Entry) -> String {
    let plan = entry.evaluation.plan
    if let model, evaluations.isOf(history.current, schemes: model.schemes, entry) {
      return "plan \(history.name)"
    }
    if let snapshot = snapshots.all.first(where: { $0.plan == plan }) { return snapshot.name }
    guard let schemes = entry.schemes else { return "pruned otherwise" }
    let counts = Dictionary(grouping: schemes.indices, by: { schemes[$0] })
    let common = counts.max {
      ($0.value.count, $1.value[0]) < ($1.value.count, $0.value[0])
    }
    let others = counts.count - 1
    return (common?.key.shortSummary ?? "") + (others > 0 ? " and \(others) more" : "")
  }

  mutating func moveInHistory(by distance: Int) {
    evaluations.cursor = max(0, min(evaluations.cursor + distance, evaluations.all.count - 1))
    evaluations.scroll = 0
  }

  mutating func scrollHistory(by distance: Int) {
    evaluations.scroll = max(0, min(evaluations.scroll + distance, historyChanges.count - 1))
  }

  /// What restoring the plan under the cursor changes; nothing for one that is pruned otherwise.
  var historyChanges: [LayerChange] {
    guard let model, let schemes = evaluations.selected?.schemes else { return [] }
    return model.changes(from: model.schemes, to: schemes)
  }

  /// Makes the plan under the cursor the current one, in one undoable change.
  mutating func restoreEvaluation() -> [Effect] {
    guard let entry = evaluations.selected else {
      inform("Nothing is evaluated yet; x measures both models on a text")
      return []
    }
    return adopt(
      entry.evaluation.plan, title: "restore the plan \(entry.evaluation.planID)", on: "all layers")
  }
}
