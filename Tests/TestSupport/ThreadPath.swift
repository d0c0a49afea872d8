import Foundation

/// Where the system tells of a thread.
public struct ThreadPath: Hashable, Sendable {
  private let path: String

  /// Of the thread that asks.
  public static var current: ThreadPath {
    let link = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/thread-self")
    return ThreadPath(path: "/proc/\(link ?? "")")
  }

  /// Whether the thread has not ended.
  public var isThere: Bool { FileManager.default.fileExists(atPath: path) }
}
