/// What becomes of snapshots that were changed in two places: nothing that was taken in either is lost.
public struct SnapshotMerge {
  /// What both began with.
  let base: [Snapshot]
  let mine: [Snapshot]
  let theirs: [Snapshot]

  public init(base: [Snapshot], mine: [Snapshot], theirs: [Snapshot]) {
    self.base = base
    self.mine = mine
    self.theirs = theirs
  }

  /// Theirs with what was changed here: taken, renamed, measured, removed.
  ///
  /// Of two snapshots of one name, both new or changed, mine gets a name of its own unless they are of one plan; then
  /// each has what the other lacks. What was changed there is not removed.
  public var result: [Snapshot] {
    var list = theirs
    for snapshot in mine {
      let before = Self.named(snapshot.name, in: base)
      guard snapshot != before else { continue }
      let other = Self.named(snapshot.name, in: theirs)
      guard let other, other != before, other != snapshot else {
        list.add(snapshot)
        continue
      }
      if other.plan == snapshot.plan {
        list.add(snapshot.completed(by: other))
      } else {
        var renamed = snapshot
        renamed.name = list.freshName(from: snapshot.name)
        list.add(renamed)
      }
    }
    return list.filter { snapshot in
      let before = Self.named(snapshot.name, in: base)
      let isRemoved = before == snapshot && Self.named(snapshot.name, in: mine) == nil
      return !isRemoved
    }
  }

  private static func named(_ name: String, in snapshots: [Snapshot]) -> Snapshot? {
    snapshots.first { $0.name == name }
  }
}

extension Snapshot {
  /// This with what is known of the same plan elsewhere and not here.
  fileprivate func completed(by other: Snapshot) -> Snapshot {
    var result = self
    result.predicted = predicted ?? other.predicted
    result.measured = measured ?? other.measured
    result.answer = answer ?? other.answer
    return result
  }
}
