import Foundation
import FoundationNetworking
import Text

/// Where a Ray cluster takes jobs: the URL of its dashboard, `http://HEAD:8265`.
public struct ClusterAddress: Codable, Hashable, Sendable {
  private let server: ServerAddress

  /// The URL without a slash at its end.
  public var base: String { server.base }

  /// Reads a URL as people write it.
  ///
  /// - Throws: ``ServerFailure`` when it is no URL of a cluster.
  public init(_ url: String) throws(ServerFailure) {
    do throws(ServerFailure) {
      server = try ServerAddress(url)
    } catch {
      throw ServerFailure(
        "\"\(Self.withoutUser(url))\" is no cluster's URL; it looks like http://HEAD:8265 or https://HOST/PATH, and a "
          + "key belongs into \(ServerKey.clusterNames[0])")
    }
  }

  /// The URL for people, without what may be a password.
  private static func withoutUser(_ url: String) -> String {
    guard let at = url.lastIndex(of: "@") else { return DisplayText.line(url) }
    return "***" + DisplayText.line(String(url[at...]))
  }

  /// The URL of something that the dashboard offers, such as `api/jobs/`.
  func url(of path: String) throws(ServerFailure) -> URL {
    guard let url = URL(string: "\(base)/\(path)") else {
      throw failure("\"\(DisplayText.line(path))\" is no part of a cluster's URL")
    }
    return url
  }

  /// A URL that a program on the cluster names, as it is reached from here: what listens everywhere listens on the head.
  func reached(_ url: String) -> String {
    guard var parts = URLComponents(string: url), let host = URLComponents(string: base)?.host,
      ["0.0.0.0", "[::]", "::"].contains(parts.host)
    else { return url }
    parts.host = host
    return parts.string ?? url
  }

  /// A failure of this cluster, which the sentence names.
  func failure(_ reason: String) -> ServerFailure { server.failure(reason) }

  /// The parts of a response to a request with the cluster's key.
  func parts(
    of request: URLRequest, patience: ServerPatience, byteLimit: Int
  ) -> HTTPParts {
    HTTPParts(request, of: server, patience: patience, byteLimit: byteLimit)
  }
}
