import Glibc

/// Why another process cannot be reached, or is not what it should be.
public struct LinkError: Error, Hashable, Sendable, CustomStringConvertible {
  /// A sentence for people, without a full stop.
  public let description: String

  public init(_ description: String) { self.description = description }

  /// What the system says of the call that just failed.
  static func ofSystem(_ what: String) -> LinkError {
    LinkError("\(what): \(String(cString: strerror(errno)))")
  }
}

/// Calls `body` again as long as signals interrupt it.
func retrying<Count: SignedInteger>(_ body: () -> Count) -> Count {
  while true {
    let result = body()
    if result >= 0 || errno != EINTR { return result }
  }
}
