import Compression
import Foundation

/// One version of a plan, and the change that led to it.
public struct PlanVersion: Hashable, Sendable {
  public var plan: Plan
  /// For people; empty for the oldest version.
  public var change: String

  public init(plan: Plan, change: String) {
    self.plan = plan
    self.change = change
  }
}

/// What a session leaves to the one that goes on with it.
public struct SavedSession: Hashable, Sendable {
  /// Every version of the plan that undo and redo reach, oldest first.
  public var versions: [PlanVersion]
  /// Older versions that are forgotten: the number of the oldest that is left.
  public var forgotten: Int
  /// The place of the current version among those that are left.
  public var position: Int
  /// The version that is in the file, or that nobody has changed yet.
  public var saved: Plan
  /// Where the plan was read from or written to; nil if it was neither.
  public var file: String?
  /// The target that the plan is for; nil for none.
  public var target: String?
  /// Of the target's files, or of all tensors without a target.
  public var bytes: Int
  public var bitsPerWeight: Double
  /// Whether there is more to go on with than a place on the screen.
  public var hasWork: Bool
  /// What else the workbench keeps, as JSON by name.
  public var documents: [String: String]

  public init(
    versions: [PlanVersion], forgotten: Int = 0, position: Int, saved: Plan, file: String?,
    target: String?, bytes: Int, bitsPerWeight: Double, hasWork: Bool = true,
    documents: [String: String]
  ) {
    self.versions = versions
    self.forgotten = forgotten
    self.position = position
    self.saved = saved
    self.file = file
    self.target = target
    self.bytes = bytes
    self.bitsPerWeight = bitsPerWeight
    self.hasWork = hasWork
    self.documents = documents
  }
}
