import ArgumentParser
import Foundation
import Serving

/// A Ray cluster.
struct ClusterOptions: ParsableArguments {
  @Option(
    help: """
      The URL of the cluster's dashboard, http://HEAD:8265; without it, RAY_API_SERVER_ADDRESS. A key is read \
      from VISE_CLUSTER_KEY, else RAY_AUTH_TOKEN.
      """)
  var cluster: String?

  /// The cluster that was named; nil if none was.
  func address() throws(CommandFailure) -> ClusterAddress? {
    let environment = ProcessInfo.processInfo.environment
    guard let url = cluster ?? environment["RAY_API_SERVER_ADDRESS"] else { return nil }
    do throws(ServerFailure) { return try ClusterAddress(url) } catch {
      throw CommandFailure(status: .usage, message: error.description)
    }
  }

  /// The cluster that was named.
  ///
  /// - Throws: ``CommandFailure`` if none was.
  func needed() throws(CommandFailure) -> RayCluster {
    guard let address = try address() else {
      throw CommandFailure(
        status: .usage, message: "say which cluster: --cluster http://HEAD:8265")
    }
    return RayCluster(address)
  }
}
