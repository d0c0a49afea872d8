import Compression
import Engine
import Sessions

extension AppState {
  /// Keeps the plan and what is known of it under a name.
  mutating func takeSnapshot(_ name: String?) -> [Effect] {
    guard var snapshot = currentSnapshot else {
      inform("No model is open; o opens one")
      return []
    }
    guard let name else { return ask(for: .snapshot) }
    snapshot.name = name
    let isNew = snapshots.index(named: name) == nil
    snapshots.add(snapshot)
    inform("\(isNew ? "Kept" : "Kept anew") as \(name); F4 compares")
    return []
  }

  /// A name that is offered for the next snapshot: the bytes of the plan.
  var suggestedSnapshotName: String {
    guard let model else { return "" }
    let size = Figures.totalBytes(model.plannedBytes).filter { $0 != " " }
    return snapshots.all.freshName(from: size)
  }

  /// Restores, renames or deletes a snapshot: the one named, or the one under the cursor.
  mutating func changeSnapshots(_ command: Command) -> [Effect] {
    if screen == .history, command.action == .restore, command.argument == nil {
      return restoreEvaluation()
    }
    let isRenaming = command.action == .rename
    let named = isRenaming ? nil : command.argument
    guard let index = place(ofSnapshot: named) else { return [] }
    let snapshot = snapshots.all[index]
    switch command.action {
    case .restore: return adopt(snapshot.plan, title: "restore \(snapshot.name)", on: "all layers")
    case .delete:
      snapshots.remove(index)
      inform("Deleted \(snapshot.name)")
    default:
      guard let name = command.argument else { return ask(for: .rename) }
      guard snapshots.index(named: name) == nil || name == snapshot.name else {
        refuse("There is a snapshot \(name)")
        return []
      }
      snapshots.rename(index, to: name)
    }
    return []
  }

  private mutating func place(ofSnapshot name: String?) -> Int? {
    if let name {
      if let index = snapshots.index(named: name) { return index }
      refuse("There is no snapshot \(name)")
      return nil
    }
    let index = snapshots.cursor - 1
    guard snapshots.all.indices.contains(index) else {
      inform(
        snapshots.all.isEmpty
          ? "There are no snapshots; c takes one" : "Choose a snapshot on the Compare screen (F4)")
      return nil
    }
    return index
  }

  /// Moves in the list of plans.
  mutating func moveInCompare(by distance: Int) {
    snapshots.cursor = max(0, min(snapshots.cursor + distance, compared.count - 1))
    snapshots.scroll = 0
  }

  /// Scrolls what stands below the list.
  mutating func scrollCompare(by distance: Int) {
    guard let pair = snapshots.pair, let model else { return }
    let plans = compared
    guard plans.indices.contains(pair.first), plans.indices.contains(pair.second) else { return }
    let count =
      switch snapshots.tab {
      case .layers:
        model.changes(
          from: model.assignment(plans[pair.first].schemes),
          to: model.assignment(plans[pair.second].schemes)
        ).count
      case .answers:
        [pair.first, pair.second].map { (plans[$0].answer?.text.count ?? 0) / 20 }.max() ?? 0
      }
    snapshots.scroll = max(0, min(snapshots.scroll + distance, count - 1))
  }

  /// Notes the compressed model's answer with the plan it was made under.
  mutating func noteAnswer() {
    guard let plan = answeredPlan, let answer = compressedAnswer else { return }
    snapshots.note(about: plan) { $0.answer = answer }
  }
}
