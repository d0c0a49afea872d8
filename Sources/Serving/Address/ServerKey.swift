import FoundationEssentials

/// The key that a server asks for: read from the environment when it is sent, never kept or shown.
public struct ServerKey: Sendable {
  /// The variables of a server's key.
  public static let names = ["VISE_API_KEY", "OPENAI_API_KEY"]
  /// The variables of a cluster's key; the second is Ray's own.
  public static let clusterNames = ["VISE_CLUSTER_KEY", "RAY_AUTH_TOKEN"]

  /// The variables that it is looked for in; the first that is set counts.
  let names: [String]
  private let variable: @Sendable (String) -> String?

  /// A key found by looking up variables.
  public init(
    names: [String] = ServerKey.names, variable: @escaping @Sendable (String) -> String?
  ) {
    (self.names, self.variable) = (names, variable)
  }

  /// The key of this process's environment.
  public static let environment = ServerKey { ProcessInfo.processInfo.environment[$0] }
  /// A cluster's key, of this process's environment.
  public static let clusterEnvironment = ServerKey(names: clusterNames) {
    ProcessInfo.processInfo.environment[$0]
  }

  /// The key; nil if there is none.
  ///
  /// - Throws: ``ServerFailure`` when it cannot be part of a request.
  func read() throws(ServerFailure) -> String? {
    for name in names {
      let blanks: Set<Character> = [" ", "\t", "\n", "\r", "\r\n"]
      let text = (variable(name) ?? "").drop { blanks.contains($0) }
      let key = text.prefix(text.count - text.reversed().prefix { blanks.contains($0) }.count)
      if key.isEmpty { continue }
      guard key.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
        throw ServerFailure("\(name) holds characters that no key has; set it to the server's key")
      }
      return String(key)
    }
    return nil
  }
}
