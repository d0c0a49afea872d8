import Checkpoints
import Compression
import Engine
import Export
import Sessions

/// The snapshots of the model, those of earlier sessions too, and what the Compare screen does with them.
struct SnapshotList: Hashable, Sendable {
  /// What stands below the list.
  enum Tab: String, CaseIterable, Hashable, Sendable {
    case layers, answers
  }

  private(set) var all: [Snapshot] = []
  /// Their bytes as they are counted now, nil for those that are pruned otherwise: the target of today need not be that of
  /// the day they were taken.
  private var countedBytes: [Int?] = []
  private var counted: Counted?
  /// Those that are on disk; nil until they have been read, or if they cannot be: then nothing is written.
  private(set) var saved: [Snapshot]?
  /// Row under the cursor: 0 is the plan as it is, then come the snapshots.
  var cursor = 0
  /// Rows picked to be compared, at most two, the latest last.
  private(set) var picked: [Int] = []
  var tab = Tab.layers
  /// Rows that the lower part is scrolled down.
  var scroll = 0

  /// What ``countedBytes`` were counted for.
  private struct Counted: Hashable, Sendable {
    let all: [Snapshot]
    let outline: ExportOutline?
    let structure: ModelStructure?
  }

  /// The place of a snapshot by name.
  func index(named name: String) -> Int? { all.index(named: name) }

  /// Adds a snapshot, in place of one of the same name.
  mutating func add(_ snapshot: Snapshot) { all.add(snapshot) }

  /// Takes on what was saved earlier; what was taken meanwhile comes after it, or in its place.
  mutating func load(_ read: [Snapshot]) {
    let taken = all
    (all, saved, picked, cursor) = (read, read, [], 0)
    for snapshot in taken { add(snapshot) }
  }

  /// Takes on what is saved now, beside what was changed here since `written` was given to be saved.
  mutating func adopt(_ merged: [Snapshot], since written: [Snapshot]) {
    all = SnapshotMerge(base: written, mine: all, theirs: merged).result
    saved = merged
    picked = []
    cursor = min(cursor, all.count)
  }

  /// Counts the bytes of all of them for the target that the model is planned for, if that or they have changed.
  ///
  /// - Parameters:
  ///   - model: as it is pruned now.
  ///   - structure: what it is pruned by; snapshots of other structures have the bytes of their day.
  mutating func count(in model: OpenModel, prunedBy structure: ModelStructure?) {
    let wanted = Counted(all: all, outline: model.outline, structure: structure)
    guard wanted != counted else { return }
    counted = wanted
    countedBytes = all.map { snapshot in
      snapshot.plan.structure == structure
        ? model.bytes(under: model.assignment(snapshot.schemes)) : nil
    }
  }

  /// The snapshots with their bytes as they are counted now.
  func counted(in model: OpenModel?) -> [Snapshot] {
    guard let model, countedBytes.count == all.count else { return all }
    return zip(all, countedBytes).map { snapshot, bytes in
      guard let bytes else { return snapshot }
      var counted = snapshot
      counted.bytes = bytes
      counted.bitsPerWeight = model.bitsPerWeight(ofBytes: bytes)
      return counted
    }
  }

  /// Whether there is something to save.
  var isUnsaved: Bool { saved.map { $0 != all } ?? false }

  mutating func markSaved() { saved = all }

  mutating func rename(_ index: Int, to name: String) { all[index].name = name }

  mutating func remove(_ index: Int) {
    all.remove(at: index)
    picked = []
    cursor = min(cursor, all.count)
  }

  /// Picks a row, or no longer; a third one takes the place of the first.
  mutating func pick(_ row: Int) {
    if let place = picked.firstIndex(of: row) {
      picked.remove(at: place)
    } else {
      picked = (picked + [row]).suffix(2)
    }
  }

  /// Lets `change` add what became known about one plan.
  mutating func note(about plan: Plan, _ change: (inout Snapshot) -> Void) {
    for index in all.indices where all[index].plan == plan { change(&all[index]) }
  }

  /// The two rows that are compared: those picked, or the one under the cursor with the plan.
  var pair: (first: Int, second: Int)? {
    if picked.count == 2 { return (picked[0], picked[1]) }
    let other = picked.first ?? 0
    if cursor != other { return (other, cursor) }
    return other == 0 && !all.isEmpty ? (0, all.count) : nil
  }
}

extension AppState {
  /// The plan as it is, with what is known of it.
  var currentSnapshot: Snapshot? {
    guard let model else { return nil }
    let bytes = model.plannedBytes
    let plan = history.current
    return Snapshot(
      name: "plan \(history.name)\(history.isSaved ? "" : "*")", plan: plan,
      schemes: model.named(model.schemes),
      bytes: bytes, bitsPerWeight: model.bitsPerWeight(ofBytes: bytes),
      predicted: predicted,
      measured: evaluations.current.map { .init(text: $0.textPath, result: $0.result) },
      answer: answeredPlan == plan ? compressedAnswer : nil)
  }

  /// What the Compare screen lists: the plan as it is, then the snapshots.
  var compared: [Snapshot] {
    (currentSnapshot.map { [$0] } ?? [])
      + snapshots.counted(in: model)
  }

  /// The compressed model's last answer, once it has ended.
  var compressedAnswer: SnapshotAnswer? {
    let answer = conversation.answer(.compressed)
    guard let prompt = conversation.asked, answer.stop != nil else { return nil }
    return SnapshotAnswer(
      prompt: prompt, text: answer.tokens.map(\.text).joined(),
      tokensPerSecond: answer.tokensPerSecond)
  }
}
