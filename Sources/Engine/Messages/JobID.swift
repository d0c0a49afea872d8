/// Names one job; the sender of a command chooses it, and events about the job carry it.
///
/// Senders count from 0. A command with the id of a job under way takes that job's place.
public struct JobID: Hashable, Sendable, Codable, CustomStringConvertible {
  /// The engine's own job: it compresses the layers that a plan changed.
  public static let compression = JobID(-1)

  /// The engine's own job: it calibrates for a plan that needs it, when nobody has.
  public static let calibration = JobID(-2)

  public let number: Int

  public init(_ number: Int) { self.number = number }

  public var description: String { "#\(number)" }
}
