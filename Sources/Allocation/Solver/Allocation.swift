/// What an allocation is solved for.
public enum AllocationGoal: Hashable, Sendable {
  /// The least KLD in at most so many bytes.
  case bytes(Int)
  /// The fewest bytes at a KLD of at most so many nats a token.
  case divergence(Double)
}

/// One option for each item, found for a goal.
public struct Allocation: Hashable, Sendable {
  /// The index of each item's option; nil for items without options, whose layers stay as they are.
  public let choices: [Int?]
  /// Bytes of all items and of what no item holds.
  public let bytes: Int
  /// Sum of the items' KLDs, in nats a token.
  public let divergence: Double
  /// How far at most what the goal makes small lies above the least possible, as a share of that.
  ///
  /// The least possible is bounded by the solution of the linear relaxation; 0 means proven optimal.
  public let gap: Double
}
