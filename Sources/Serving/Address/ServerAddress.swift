import FoundationEssentials
import Text

/// Where a model is served over an OpenAI-compatible API, and which of the server's models it is.
public struct ServerAddress: Codable, Hashable, Sendable {
  /// The server's URL without `/v1` and without a slash at its end.
  public let base: String
  /// The model's name as the server knows it; nil takes the only one that it has.
  public var model: String?

  /// Reads a URL as people write it: with or without `/v1` and a slash at its end.
  ///
  /// - Throws: ``ServerFailure`` when it is no URL of a server.
  public init(_ url: String, model: String? = nil) throws(ServerFailure) {
    let shown = DisplayText.line(url)
    let isPrintable = url.unicodeScalars.allSatisfy { $0.value > 0x20 && $0.value < 0x7f }
    guard isPrintable, let parts = URLComponents(string: url), parts.host?.isEmpty == false,
      ["http", "https"].contains(parts.scheme?.lowercased()),
      parts.port.map({ (1...65535).contains($0) }) ?? true
    else {
      throw ServerFailure(
        "\"\(shown)\" is no server's URL; it looks like http://localhost:8000 or https://HOST/v1")
    }
    // Not shown: it may hold a password.
    guard parts.user == nil, parts.password == nil else {
      throw ServerFailure(
        "a server's URL holds no user and no password; a key belongs into \(ServerKey.names[0])")
    }
    guard parts.query == nil, parts.fragment == nil else {
      throw ServerFailure("\"\(shown)\": a server's URL ends before ? and #")
    }
    var base = url[...]
    while base.last == "/" { base.removeLast() }
    if base.hasSuffix("/v1") { base.removeLast(3) }
    while base.last == "/" { base.removeLast() }
    self.base = String(base)
    self.model = model
  }

  /// The URL of something that the API offers: `models`, `completions`.
  func url(of path: String) throws(ServerFailure) -> URL {
    guard let url = URL(string: "\(base)/v1/\(path)") else {
      throw ServerFailure("\"\(DisplayText.line(base))\" is no server's URL")
    }
    return url
  }

  /// A failure of this server, which the sentence names.
  func failure(_ reason: String) -> ServerFailure { ServerFailure("\(base): \(reason)") }
}
