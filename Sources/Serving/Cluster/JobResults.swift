import FoundationEssentials
import JSON

/// A file that a job has left on the cluster.
public struct ClusterFile: Codable, Hashable, Sendable {
  /// Relative to the job's folder.
  public var name: String
  public var bytes: Int

  public init(name: String, bytes: Int) { (self.name, self.bytes) = (name, bytes) }
}

/// What comes back of a job.
///
/// Ray's API brings no files, so that a small job prints them into its log: one for the list, and one for each part of a file.
public struct JobResults: Sendable {
  /// Bytes that one job brings; base64 and JSON make them a third longer.
  private static let partLength = 24 << 20

  private let cluster: RayCluster
  private let package: String
  private let folder: String
  private let interval: Duration

  /// - Parameters:
  ///   - folder: Of the job, on the cluster.
  ///   - package: With `fetch.py`, as it was brought for the job.
  ///   - cluster: Where the job ran.
  ///   - interval: Between two questions.
  public init(
    in folder: String, package: String, on cluster: RayCluster, interval: Duration = .seconds(1)
  ) {
    (self.folder, self.package, self.cluster, self.interval) = (folder, package, cluster, interval)
  }

  /// The files that are there.
  public func files() async throws(ServerFailure) -> [ClusterFile] {
    let line = try await line(of: [], marked: "vise-files: ")
    guard let all = (try? JSONReader.read(Array(line.utf8)))?.array else { throw unreadable() }
    return all.compactMap { value in
      guard let name = value.object?["name"]?.string, let bytes = value.object?["bytes"]?.integer,
        bytes >= 0, Self.isInside(name)
      else { return nil }
      return ClusterFile(name: name, bytes: bytes)
    }
  }

  /// Where the parts of a file begin that are brought one by one.
  public func parts(of file: ClusterFile) -> StrideTo<Int> {
    stride(from: 0, to: file.bytes, by: Self.partLength)
  }

  /// A part of a file's contents.
  ///
  /// - Parameters:
  ///   - file: One of ``files()``.
  ///   - offset: One of ``parts(of:)``.
  /// - Returns: Its bytes.
  /// - Throws: ``ServerFailure`` when it cannot be read there.
  public func part(of file: ClusterFile, from offset: Int) async throws(ServerFailure) -> Data {
    let length = min(Self.partLength, file.bytes - offset)
    let line = try await line(
      of: [file.name, String(offset), String(length)], marked: "vise-data: ")
    guard let data = Data(base64Encoded: line), data.count == length else { throw unreadable() }
    return data
  }

  /// Whether a file of that name lies below the folder that it is fetched into.
  static func isInside(_ name: String) -> Bool {
    let parts = name.split(separator: "/", omittingEmptySubsequences: false)
    return parts.allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." }
      && name.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7f }
  }

  /// What a job that runs `fetch.py` with these words prints behind a mark.
  private func line(
    of words: [String], marked mark: String
  ) async throws(ServerFailure) -> String {
    let command = ["python", "fetch.py", folder] + words
    let job = JobSubmission(
      id: JobSubmission.makeID(),
      entrypoint: command.map(JobSubmission.quoted).joined(separator: " "), package: package)
    try await cluster.submit(job)
    let follower = JobFollower(job.id, on: cluster, interval: interval, patience: .seconds(60))
    let end = try await follower.run { _ in }
    let log = end.state == .lost ? "" : try await cluster.log(of: job.id)
    guard end.state == .succeeded,
      let line = log.split(separator: "\n").last(where: { $0.hasPrefix(mark) })
    else {
      let said = log.split(separator: "\n").last.map(String.init) ?? end.message
      throw cluster.address.failure("\(folder) cannot be read there: \(said)")
    }
    // It has said what it was for.
    try? await cluster.delete(job.id)
    return String(line.dropFirst(mark.count))
  }

  private func unreadable() -> ServerFailure {
    cluster.address.failure("what a job prints of \(folder) cannot be read")
  }
}
