import Compression
import Sessions

/// The plan with every earlier and undone version of it.
struct PlanHistory: Hashable, Sendable {
  /// A version of the plan, and what the change that led away from it did.
  struct Step: Hashable, Sendable {
    let plan: Plan
    let change: String
  }

  private(set) var current: Plan
  private(set) var past: [Step] = []
  private(set) var future: [Step] = []
  /// Versions older than those that undo reaches.
  private(set) var forgotten = 0
  /// The version that is on disk, or that nobody has changed yet.
  private(set) var saved: Plan
  /// Where it was read from or written to.
  private(set) var path: String?

  /// The most versions that undo goes back.
  static let depth = 1000

  init(_ plan: Plan = Plan(), path: String? = nil) {
    current = plan
    saved = plan
    self.path = path
  }

  /// The history that an earlier session left.
  init(_ session: SavedSession) {
    let (versions, place) = (session.versions, session.position)
    current = versions[place].plan
    past = (0..<place).map { Step(plan: versions[$0].plan, change: versions[$0 + 1].change) }
    future = (place + 1..<versions.count).reversed().map {
      Step(plan: versions[$0].plan, change: versions[$0].change)
    }
    (forgotten, saved, path) = (session.forgotten, session.saved, session.file)
  }

  /// Every version that undo and redo reach, oldest first; the current one is as many places in as there are past ones.
  var versions: [PlanVersion] {
    let plans = past.map(\.plan) + [current] + future.reversed().map(\.plan)
    let changes = [""] + past.map(\.change) + future.reversed().map(\.change)
    return zip(plans, changes).map { PlanVersion(plan: $0, change: $1) }
  }

  var isSaved: Bool { current == saved }

  /// Whether there is anything to undo or to redo.
  var hasVersions: Bool { !past.isEmpty || !future.isEmpty }

  /// The plan's name for people: its file's, without directory and suffix.
  var name: String {
    guard let file = path?.split(separator: "/").last else { return "unnamed" }
    for suffix in [".plan.yaml", ".yaml", ".yml"] where file.hasSuffix(suffix) {
      if file.count > suffix.count { return String(file.dropLast(suffix.count)) }
    }
    return String(file)
  }

  /// Makes `plan` the current one; a change of nothing leaves no trace.
  mutating func record(_ plan: Plan, change: String) {
    guard plan != current else { return }
    past.append(Step(plan: current, change: change))
    if past.count > Self.depth {
      forgotten += past.count - Self.depth
      past.removeFirst(past.count - Self.depth)
    }
    future = []
    current = plan
  }

  /// Goes back one change and returns what it had done; nil if there is none.
  mutating func undo() -> String? {
    guard let step = past.popLast() else { return nil }
    future.append(Step(plan: current, change: step.change))
    current = step.plan
    return step.change
  }

  /// Goes forward again and returns what that does; nil if nothing was undone.
  mutating func redo() -> String? {
    guard let step = future.popLast() else { return nil }
    past.append(Step(plan: current, change: step.change))
    current = step.plan
    return step.change
  }

  /// Notes that `plan` is now in the file at `path`.
  mutating func markSaved(_ plan: Plan, at path: String) {
    saved = plan
    self.path = path
  }
}
