import Foundation
import JSON
import Text

/// How far a cluster has come with a job, as Ray calls it.
public enum ClusterJobState: String, Codable, Hashable, Sendable, CaseIterable {
  case pending = "PENDING"
  case running = "RUNNING"
  case stopped = "STOPPED"
  case succeeded = "SUCCEEDED"
  case failed = "FAILED"
  /// The cluster does not know the job any more: its head was started anew, or somebody deleted it.
  case lost = "LOST"

  /// Whether nothing more comes of it.
  public var isOver: Bool { self != .pending && self != .running }

  /// For people.
  public var word: String { rawValue.lowercased() }
}

/// What a cluster says of a job.
public struct ClusterJob: Codable, Hashable, Sendable {
  public var id: String
  public var state: ClusterJobState
  /// Ray's words on the state; empty where it has none.
  public var message: String
  public var entrypoint: String
  /// Seconds since 1970; nil before it has begun and ended.
  public var started: Double?
  public var ended: Double?
  /// What its sender noted, by name.
  public var notes: [String: String]

  public init(
    id: String, state: ClusterJobState, message: String = "", entrypoint: String = "",
    started: Double? = nil, ended: Double? = nil, notes: [String: String] = [:]
  ) {
    self.id = id
    self.state = state
    self.message = message
    self.entrypoint = entrypoint
    self.started = started
    self.ended = ended
    self.notes = notes
  }

  /// Ray's words without the end of the log that it appends to them.
  private static func message(in text: String) -> String {
    let end = text.range(of: ", last available logs")?.lowerBound ?? text.endIndex
    return DisplayText.line(String(text[..<end]))
  }

  /// Reads Ray's `JobDetails`; nil for jobs that nobody submitted and for what is none.
  init?(_ value: JSONValue) {
    guard let object = value.object, let id = object["submission_id"]?.string,
      let state = object["status"]?.string.flatMap(ClusterJobState.init)
    else { return nil }
    self.init(
      id: id, state: state, message: Self.message(in: object["message"]?.string ?? ""),
      entrypoint: DisplayText.line(object["entrypoint"]?.string ?? ""),
      started: object["start_time"]?.double.map { $0 / 1000 },
      ended: object["end_time"]?.double.map { $0 / 1000 })
    for member in object["metadata"]?.object?.members ?? [] {
      notes[member.name] = member.value.string.map { DisplayText.line($0) }
    }
  }
}
