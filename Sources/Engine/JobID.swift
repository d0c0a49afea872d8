/// Names one job; the sender of a command chooses it, and events about the job carry it.
public struct JobID: Hashable, Sendable, Codable, CustomStringConvertible {
  public let number: Int

  public init(_ number: Int) { self.number = number }

  public var description: String { "#\(number)" }
}
