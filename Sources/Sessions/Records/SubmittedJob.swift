import Foundation

/// A job that was sent to a cluster: what is needed to find it again, and to know what its results are of.
public struct SubmittedJob: Codable, Hashable, Sendable {
  public var id: String
  /// The cluster's URL.
  public var cluster: String
  /// The model's name and fingerprint.
  public var model: String
  public var fingerprint: String
  /// The plan as YAML; empty for sensitivity.
  public var plan: String
  /// What it does, in order.
  public var steps: [String]
  /// The package of its files on the cluster.
  public var package: String
  /// Where the cluster keeps what it has done.
  public var folder: String
  /// Of the target's files under the plan, as predicted; 0 for sensitivity.
  public var bytes: Int
  public var bitsPerWeight: Double
  public var submitted: Date
  /// As it was heard last, in Ray's words.
  public var state: String

  public init(
    id: String, cluster: String, model: String, fingerprint: String, plan: String, steps: [String],
    package: String, folder: String, bytes: Int, bitsPerWeight: Double, submitted: Date = Date(),
    state: String
  ) {
    self.id = id
    self.cluster = cluster
    self.model = model
    self.fingerprint = fingerprint
    self.plan = plan
    self.steps = steps
    self.package = package
    self.folder = folder
    self.bytes = bytes
    self.bitsPerWeight = bitsPerWeight
    self.submitted = submitted
    self.state = state
  }
}
