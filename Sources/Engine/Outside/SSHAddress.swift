/// A model on another machine: `ssh://user@host:port/path`, where `/~/` begins in the user's home.
public struct SSHAddress: Hashable, Sendable, CustomStringConvertible {
  /// As ssh knows it: a host, with a user before it where one was named.
  public let destination: String
  public let port: Int?
  /// From the root, or with `~/` from the home of the user there; nil where only a machine was named.
  public let path: String?

  private static let scheme = "ssh://"

  /// Whether a text is meant as one, whatever is wrong with it.
  public static func isMeant(by text: String) -> Bool { text.hasPrefix(scheme) }

  /// Nil for what is no such address.
  ///
  /// A host that begins with a dash would be an option of ssh.
  public init?(_ text: String) {
    guard Self.isMeant(by: text) else { return nil }
    let rest = text.dropFirst(Self.scheme.count)
    let end = rest.firstIndex(of: "/") ?? rest.endIndex
    var destination = rest[..<end]
    var port: Int?
    // The colons of an address of version 6 stand in brackets.
    let afterBrackets = destination.lastIndex(of: "]") ?? destination.startIndex
    if let colon = destination[afterBrackets...].lastIndex(of: ":") {
      guard let number = Int(destination[destination.index(after: colon)...]),
        (1...65_535).contains(number)
      else { return nil }
      port = number
      destination = destination[..<colon]
    }
    let host = destination.split(separator: "@", omittingEmptySubsequences: false).last ?? ""
    guard !host.isEmpty, !destination.hasPrefix("-"), !host.hasPrefix("-"),
      destination.allSatisfy({ !$0.isWhitespace && $0.isASCII && !"'\"\\$`;&|<>()".contains($0) })
    else { return nil }
    let path = rest[end...]
    self.destination = String(destination).filter { $0 != "[" && $0 != "]" }
    self.port = port
    self.path = path.count < 2 ? nil : String(path.hasPrefix("/~") ? path.dropFirst() : path)
  }

  public var description: String {
    let host = destination.contains(":") ? "[\(destination)]" : destination
    return Self.scheme + host + (port.map { ":\($0)" } ?? "") + (path.map { prefixed($0) } ?? "")
  }

  /// The same machine with another path.
  public func with(path: String) -> String {
    let host = destination.contains(":") ? "[\(destination)]" : destination
    return Self.scheme + host + (port.map { ":\($0)" } ?? "") + prefixed(path)
  }

  private func prefixed(_ path: String) -> String { path.hasPrefix("/") ? path : "/\(path)" }
}
