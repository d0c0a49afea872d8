/// An assignment that is being worked on.
struct Draft {
  /// The place of each item's option among the points of its choices; 0 for items without options.
  var places: [Int]
  var bytes: Int
  var divergence: Double
}

/// An item that is kept at one place of its hull while all others are solved for.
struct HeldItem {
  let item: Int
  let level: Int
}

/// What the linear relaxation says of a goal.
struct Relaxation {
  /// No plan has less KLD, or fewer bytes if those are made small.
  let least: Double
  /// What a unit of the goal's limit is worth: nats a byte, or bytes a nat.
  let multiplier: Double
}
