import Compression

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

  var isSaved: Bool { current == saved }

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
    if past.count > Self.depth { past.removeFirst(past.count - Self.depth) }
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
