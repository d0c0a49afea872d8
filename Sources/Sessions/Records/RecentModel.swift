import Foundation

/// A model that is or was open.
public struct ModelRecord: Hashable, Sendable {
  /// Of the checkpoint as it was opened, by which everything else is found.
  public var fingerprint: String
  public var name: String
  /// Where it was opened last.
  public var path: String
  /// Bytes of all tensors as the checkpoint holds them.
  public var tensorBytes: Int
  public var parameterCount: Int

  public init(
    fingerprint: String, name: String, path: String, tensorBytes: Int, parameterCount: Int
  ) {
    self.fingerprint = fingerprint
    self.name = name
    self.path = path
    self.tensorBytes = tensorBytes
    self.parameterCount = parameterCount
  }
}

/// A model that was open, with the plan that was last worked on.
public struct RecentModel: Hashable, Sendable {
  /// The plan of the model's newest session, as it was left.
  public struct Plan: Hashable, Sendable {
    /// Where it was read from or written to; nil if it was neither.
    public let file: String?
    /// Changes of it that undo goes back.
    public let changes: Int
    /// Whether the file has all of them, or there are none.
    public let isSaved: Bool
    /// The target that it is for; nil for none.
    public let target: String?
    /// Of the target's files, or of all tensors without a target.
    public let bytes: Int
    public let bitsPerWeight: Double
    public let changed: Date
  }

  public let model: ModelRecord
  /// When it was opened last.
  public let opened: Date
  /// Nil where nothing was done with the model.
  public let plan: Plan?
  /// Evaluations that are kept of it.
  public let evaluations: Int
}
