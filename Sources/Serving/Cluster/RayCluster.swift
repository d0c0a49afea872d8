import Foundation
import FoundationNetworking
import JSON
import Text

/// A Ray cluster by its Jobs REST API.
///
/// Source: Ray's documentation, "Ray Jobs REST API"; packages as `ray job submit` uploads them (Ray 2.60).
public struct RayCluster: Sendable {
  /// Most bytes of a log that are read at once.
  public static let logLimit = 64 << 20

  public let address: ClusterAddress
  private let patience: ServerPatience
  private let key: ServerKey

  public init(
    _ address: ClusterAddress, patience: ServerPatience = ServerPatience(),
    key: ServerKey = .clusterEnvironment
  ) {
    (self.address, self.patience, self.key) = (address, patience, key)
  }

  /// The cluster's version of Ray.
  ///
  /// - Throws: ``ServerFailure`` when there is no cluster, or none that takes jobs.
  public func version() async throws(ServerFailure) -> String {
    let value = try await json(of: "api/version")
    guard let version = value.object?["ray_version"]?.string else {
      throw address.failure(
        "what answers is no Ray cluster; its dashboard's port is 8265 by default")
    }
    return version
  }

  /// Brings a package of files to the cluster, unless it is there.
  ///
  /// - Parameters:
  ///   - name: `_ray_pkg_….zip`; packages of one name hold the same.
  ///   - bytes: An archive in zip's format.
  /// - Returns: Whether it was sent.
  /// - Throws: ``ServerFailure`` when the cluster does not take it.
  public func bring(_ name: String, _ bytes: [UInt8]) async throws(ServerFailure) -> Bool {
    let path = "api/packages/gcs/\(name)"
    let known = try await exchange(path)
    if known.status == 200 { return false }
    guard known.status == 404 else { throw refusal(known) }
    let sent = try await exchange(
      path, method: "PUT", body: bytes, type: "application/octet-stream")
    guard sent.status == 200 else { throw refusal(sent) }
    return true
  }

  /// Starts a job; waits for a cluster that was started a moment ago.
  public func submit(_ job: JobSubmission) async throws(ServerFailure) {
    for attempt in 1... {
      let answer = try await exchange(
        "api/jobs/", method: "POST", body: job.body, type: "application/json")
      if answer.status == 200 { return }
      // No node has said that it is there yet.
      let isEarly = String(decoding: answer.body, as: UTF8.self).hasPrefix("No available agent")
      guard isEarly, attempt < Self.attempts, !Task.isCancelled else { throw refusal(answer) }
      try? await Task.sleep(for: .seconds(1))
    }
  }

  /// How often a cluster without nodes is asked to take a job.
  private static let attempts = 20

  /// What the cluster knows of a job; nil if it does not know it.
  public func job(_ id: String) async throws(ServerFailure) -> ClusterJob? {
    let answer = try await exchange("api/jobs/\(try part(id))")
    if answer.status == 404, (try? JSONReader.read(answer.body)) == nil { return nil }
    guard let job = ClusterJob(try value(in: answer)) else {
      throw address.failure("what it says of job \(id) cannot be read")
    }
    return job
  }

  /// All jobs that were submitted to the cluster and that it knows, the newest first.
  public func jobs() async throws(ServerFailure) -> [ClusterJob] {
    guard let all = try await json(of: "api/jobs/").array else {
      throw address.failure("what it sends is no list of jobs")
    }
    return all.compactMap(ClusterJob.init).sorted { ($0.started ?? 0) > ($1.started ?? 0) }
  }

  /// What a job has written so far, all of it.
  public func log(of id: String) async throws(ServerFailure) -> String {
    guard let text = try await json(of: "api/jobs/\(try part(id))/logs").object?["logs"]?.string
    else {
      throw address.failure("what it sends is no log")
    }
    return text
  }

  /// Asks a job to end.
  public func stop(_ id: String) async throws(ServerFailure) {
    let answer = try await exchange("api/jobs/\(try part(id))/stop", method: "POST")
    guard answer.status == 200 else { throw refusal(answer) }
  }

  /// Lets the cluster forget a job that is over.
  public func delete(_ id: String) async throws(ServerFailure) {
    let answer = try await exchange("api/jobs/\(try part(id))", method: "DELETE")
    guard answer.status == 200 else { throw refusal(answer) }
  }

  // MARK: Requests

  private struct Answer {
    var status = 0
    var type = ""
    var location: String?
    var body: [UInt8] = []
  }

  /// A job's id as a part of a URL's path.
  private func part(_ id: String) throws(ServerFailure) -> String {
    let isPlain = id.utf8.allSatisfy { byte in
      byte.isASCIILetterOrDigit || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
    }
    guard isPlain, !id.isEmpty else {
      throw address.failure("\"\(DisplayText.line(id))\" is no job's id")
    }
    return id
  }

  private func json(of path: String) async throws(ServerFailure) -> JSONValue {
    try value(in: try await exchange(path))
  }

  private func value(in answer: Answer) throws(ServerFailure) -> JSONValue {
    guard answer.status == 200 else { throw refusal(answer) }
    do throws(JSONError) {
      return try JSONReader.read(answer.body)
    } catch {
      throw address.failure("what it sends is no JSON; is this the URL of a Ray dashboard?")
    }
  }

  private func exchange(
    _ path: String, method: String = "GET", body: [UInt8]? = nil, type: String? = nil
  ) async throws(ServerFailure) -> Answer {
    var request = URLRequest(url: try address.url(of: path))
    request.httpMethod = method
    if let body { request.httpBody = Data(body) }
    if let type { request.setValue(type, forHTTPHeaderField: "Content-Type") }
    let key = try key.read()
    if let key { request.setValue("Bearer \(key)", forHTTPHeaderField: "Authorization") }
    var answer = Answer()
    do throws(ServerFailure) {
      let parts = address.parts(
        of: request, patience: patience, byteLimit: Self.logLimit)
      for try await part in parts {
        switch part {
        case .head(let head):
          (answer.status, answer.type, answer.location) = (head.status, head.type, head.location)
        case .bytes(let bytes): answer.body += bytes
        }
      }
    } catch {
      throw withoutKey(error, key)
    }
    return answer
  }

  private func refusal(_ answer: Answer) -> ServerFailure {
    let head = HTTPHead(status: answer.status, type: answer.type, location: answer.location)
    if let location = answer.location, (300..<400).contains(head.status) {
      return address.failure("it redirects to \(location); give that URL if you trust it")
    }
    // Ray answers with a Python traceback, whose last line says what is wrong.
    let text = String(decoding: answer.body.suffix(ServerMessage.limit), as: UTF8.self)
    let last = text.split(whereSeparator: \.isNewline).last.map(String.init) ?? ""
    let isTrace = text.hasPrefix("Traceback")
    let said = ServerMessage.refusal(
      status: answer.status, body: isTrace ? Array(last.utf8) : answer.body,
      keyName: ServerKey.clusterNames[0])
    let failure = ServerFailure(
      address.failure(said).description, isRefusal: [401, 403].contains(answer.status))
    return withoutKey(failure, try? key.read())
  }

  /// A failure whose sentence does not tell the key, should the cluster have repeated it.
  private func withoutKey(_ failure: ServerFailure, _ key: String?) -> ServerFailure {
    guard let key else { return failure }
    return ServerFailure(
      failure.description.replacing(key, with: "***"), isRefusal: failure.isRefusal)
  }
}
