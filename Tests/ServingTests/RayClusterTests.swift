import Foundation
import Synchronization
import TestServer
import Testing

@testable import Serving

/// Asks a cluster that lives in another process and plays Ray, over real connections.
@Suite struct RayClusterTests {
  private static let running = Result { try TestServer() }
  private let server: TestServer

  init() throws { server = try Self.running.get() }

  private func cluster(_ name: String, key: String? = nil) throws -> RayCluster {
    RayCluster(
      try ClusterAddress(server.url("cluster/\(name)")),
      patience: ServerPatience(connecting: .seconds(60), idle: .seconds(60)),
      key: ServerKey(names: ServerKey.clusterNames) { $0 == "VISE_CLUSTER_KEY" ? key : nil })
  }

  private struct Seen: Decodable, Hashable {
    let method: String
    let path: String
    let key: String?
    let bytes: Int
  }

  private func seen(_ name: String) throws -> [Seen] {
    let url = try #require(URL(string: server.url("cluster/\(name)/seen")))
    return try JSONDecoder().decode([Seen].self, from: Data(contentsOf: url))
  }

  private func job(_ entrypoint: String, id: String = "vise_a") -> JobSubmission {
    JobSubmission(
      id: id, entrypoint: entrypoint, package: "_ray_pkg_0.zip", notes: ["vise_model": "m"])
  }

  // MARK: Requests

  @Test func aPackageIsSentOnce() async throws {
    let cluster = try cluster("package")
    #expect(try await cluster.version() == "2.60.0")
    #expect(try await cluster.bring("_ray_pkg_1.zip", [1, 2, 3]))
    #expect(try await !cluster.bring("_ray_pkg_1.zip", [1, 2, 3]))
    let path = "api/packages/gcs/_ray_pkg_1.zip"
    let requests = try seen("package").map { "\($0.method) \($0.path) \($0.bytes)" }
    #expect(
      requests == ["GET api/version 0", "GET \(path) 0", "PUT \(path) 3", "GET \(path) 0"])
  }

  @Test func jobsAreSubmittedListedStoppedAndForgotten() async throws {
    let cluster = try cluster("life")
    try await cluster.submit(job("forever"))
    let found = try #require(try await cluster.job("vise_a"))
    #expect(found.state == .running && found.notes == ["vise_model": "m"])
    #expect(found.entrypoint == "forever" && found.started != nil && found.ended == nil)
    // Drivers that nobody submitted are no jobs.
    #expect(try await cluster.jobs().map(\.id) == ["vise_a"])
    try await cluster.stop("vise_a")
    #expect(try await cluster.job("vise_a")?.state == .stopped)
    try await cluster.delete("vise_a")
    #expect(try await cluster.job("vise_a") == nil)
  }

  @Test func aClusterThatWasJustStartedIsAskedAgain() async throws {
    try await cluster("early").submit(job("early"))
    #expect(try seen("early").map(\.method) == ["POST", "POST"])
  }

  @Test func theKeyGoesWithEveryRequestAndIntoNoMessage() async throws {
    try await cluster("locked", key: "sesame").submit(job("forever"))
    #expect(try seen("locked").map(\.key) == ["Bearer sesame"])
    let wrong = await failure { _ = try await self.cluster("locked", key: "oddly-secret").jobs() }
    #expect(wrong.contains("HTTP 401") && wrong.contains("VISE_CLUSTER_KEY"))
    #expect(!wrong.contains("oddly-secret") && wrong.contains("***"))
    let none = await failure { _ = try await self.cluster("locked").version() }
    #expect(none.contains("set VISE_CLUSTER_KEY"))
  }

  @Test func whatIsWrongIsSaid() async throws {
    let refused = await failure { try await self.cluster("wrong").submit(self.job("refuse")) }
    #expect(refused.hasSuffix("HTTP 400: ValueError: no such entrypoint"))
    let page = RayCluster(try ClusterAddress(server.url("page")))
    let other = await failure { _ = try await page.version() }
    #expect(other.contains("is this the URL of a Ray dashboard?"))
    for id in ["../version", "", "a b", "a/b"] {
      let said = await failure { _ = try await self.cluster("wrong").job(id) }
      #expect(said.hasSuffix("is no job's id"))
    }
  }

  private func failure(_ body: () async throws -> Void) async -> String {
    do {
      try await body()
      return "no failure"
    } catch {
      return "\(error)"
    }
  }

  @Test(arguments: ["", "ray://head:10001", "localhost:8265", "http://user:secret@head:8265"])
  func addressesThatAreNone(_ text: String) {
    let error = #expect(throws: ServerFailure.self) { try ClusterAddress(text) }
    #expect(error?.description.contains("http://HEAD:8265") == true)
    #expect(error?.description.contains("secret") == false)
  }

  // MARK: Following

  private func follow(_ entrypoint: String, on name: String) async throws -> (
    end: ClusterJob, news: [ClusterNews]
  ) {
    let cluster = try cluster(name)
    try await cluster.submit(job(entrypoint))
    let news = Mutex<[ClusterNews]>([])
    let end = try await JobFollower("vise_a", on: cluster, interval: .milliseconds(1)).run { item in
      news.withLock { $0.append(item) }
    }
    return (end, news.withLock { $0 })
  }

  @Test func eachLineIsHeardOnce() async throws {
    let (end, news) = try await follow("python job.py", on: "lines")
    #expect(end.state == .succeeded)
    let lines = news.flatMap { item -> [String] in
      if case .lines(let lines) = item { lines } else { [] }
    }
    #expect(lines == ["line 0", "line 1", "line 2", "line 3"])
    let states = news.compactMap { item -> ClusterJobState? in
      if case .state(let job) = item { job.state } else { nil }
    }
    #expect(states == [.pending, .running, .succeeded])
  }

  @Test func endsAreTold() async throws {
    let failed = try await follow("fail", on: "failing").end
    #expect(failed.state == .failed && failed.message == "Job failed")
    let lost = try await follow("vanish", on: "vanishing").end
    #expect(lost.state == .lost && lost.state.isOver)
  }

  @Test func anOutageIsToldOnceAndEndsAtLast() async throws {
    let gone = RayCluster(try ClusterAddress("http://127.0.0.1:1"))
    let news = Mutex<[ClusterNews]>([])
    let follower = JobFollower(
      "vise_a", on: gone, interval: .milliseconds(1), patience: .milliseconds(50))
    await #expect(throws: ServerFailure.self) {
      try await follower.run { item in news.withLock { $0.append(item) } }
    }
    #expect(news.withLock { $0.count } == 1)
  }

  @Test func whoIsRefusedIsNotAskedAgain() async throws {
    let follower = JobFollower("vise_a", on: try cluster("locked-log"), interval: .milliseconds(1))
    let said = await failure { _ = try await follower.run { _ in } }
    #expect(said.contains("HTTP 401"))
    #expect(try seen("locked-log").count == 1)
  }

  @Test func aLogThatIsGoneEndsNothing() async throws {
    let (end, news) = try await follow("python job.py", on: "logless")
    #expect(end.state == .succeeded)
    let outages = news.count { if case .unreachable = $0 { true } else { false } }
    #expect(outages == 1)
  }

  // MARK: Results

  private func withFolder(_ body: (URL) async throws -> Void) async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(
      at: folder.appending(path: "model"), withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try await body(folder)
  }

  @Test func resultsComeBackByteByByte() async throws {
    try await withFolder { folder in
      let bytes = Data((0..<70_000).map { UInt8(truncatingIfNeeded: $0 &* 31) })
      try bytes.write(to: folder.appending(path: "model/weights"))
      try Data("{}\n".utf8).write(to: folder.appending(path: "evaluation.json"))
      try Data("not a result".utf8).write(to: folder.appending(path: "lock"))
      let results = JobResults(
        in: folder.path, package: "_ray_pkg_0.zip", on: try cluster("results"),
        interval: .milliseconds(1))
      let files = try await results.files()
      #expect(files.map(\.name) == ["evaluation.json", "model/weights"])
      var read = Data()
      for offset in results.parts(of: files[1]) {
        read += try await results.part(of: files[1], from: offset)
      }
      #expect(read == bytes)
      // Each job that brought something is forgotten again.
      #expect(try seen("results").count { $0.method == "DELETE" } == 2)
    }
  }

  @Test func namesThatLeadOutsideAreNoFiles() {
    for name in ["../x", "/etc/passwd", "a/../../b", "a//b", "", ".", "a\nb"] {
      #expect(!JobResults.isInside(name))
    }
    #expect(JobResults.isInside("model/a.safetensors"))
  }

  @Test func aFolderThatIsNotThereIsSaid() async throws {
    let results = JobResults(
      in: "/nonexistent/vise", package: "p", on: try cluster("nothing"), interval: .milliseconds(1))
    #expect(try await results.files().isEmpty)
    let said = await failure {
      _ = try await results.part(of: ClusterFile(name: "model/a", bytes: 1), from: 0)
    }
    #expect(said.contains("/nonexistent/vise cannot be read there"))
  }
}
