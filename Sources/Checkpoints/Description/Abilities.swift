/// What can be done with a checkpoint.
///
/// Every checkpoint that opens has the ability `weights`: it can be inspected, planned, compressed without calibration,
/// compared and exported.
public struct Abilities: Codable, Hashable, Sendable {
  /// Why the model does not run: neither answers nor is evaluated or calibrated; nil if it does.
  public let runningObstacle: String?
  /// Why the model has no gradients, which Fisher sensitivity and structured pruning need; nil if it has.
  public let gradientObstacle: String?

  /// A model that does all.
  public static let all = Abilities(runningObstacle: nil, gradientObstacle: nil)

  public init(runningObstacle: String?, gradientObstacle: String?) {
    self.runningObstacle = runningObstacle
    self.gradientObstacle = gradientObstacle
  }

  /// Whether it answers, and can be evaluated and calibrated.
  public var runs: Bool { runningObstacle == nil }
  /// Whether gradients go back through it.
  public var differentiates: Bool { runs && gradientObstacle == nil }

  /// The words for what it can do, as `inspect --json` lists them.
  public var names: [String] {
    ["weights"] + (runs ? ["runs"] : []) + (differentiates ? ["differentiates"] : [])
  }
}
