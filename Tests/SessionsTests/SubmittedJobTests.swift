import Foundation
import Sessions
import Testing

/// Jobs on clusters outlive the program that sent them, and the model's session.
@Suite struct SubmittedJobTests {
  private let fixture: Fixture

  init() throws { fixture = try Fixture() }

  private func job(_ id: String, _ fingerprint: String = "abc", submitted: Double) -> SubmittedJob {
    SubmittedJob(
      id: id, cluster: "https://head:8265/ray", model: "m", fingerprint: fingerprint,
      plan: "vise: 1\n", steps: ["compress", "evaluate"], package: "_ray_pkg_0.zip",
      folder: "~/vise-jobs/0", bytes: 12, bitsPerWeight: 4.5,
      submitted: Date(timeIntervalSince1970: submitted), state: "PENDING")
  }

  @Test func jobsAreFoundAgain() throws {
    let (first, second, other) = (
      job("a", submitted: 1), job("b", submitted: 2), job("c", "def", submitted: 3)
    )
    do {
      let store = try fixture.open()
      for job in [first, second, other] { try store.record(job) }
    }
    let store = try fixture.open()
    #expect(try store.submittedJobs() == [other, second, first])
    #expect(try store.submittedJobs(of: "abc") == [second, first])
    try store.note(state: "SUCCEEDED", ofJob: "a")
    #expect(try store.submittedJobs(of: "abc").map(\.state) == ["PENDING", "SUCCEEDED"])
    try store.note(state: "FAILED", ofJob: "unknown")
    try store.forget(job: "b")
    #expect(try store.submittedJobs().map(\.id) == ["c", "a"])
  }

  @Test func theDatabaseOfAnEarlierVersionIsBroughtUpToDate() throws {
    do { try fixture.open().note(.synthetic()) }
    _ = try fixture.ask("DROP TABLE clusterJob")
    _ = try fixture.ask("DELETE FROM grdb_migrations WHERE identifier = '2'")
    let store = try fixture.open()
    try store.record(job("a", submitted: 1))
    #expect(try store.knows(model: "abc") && !store.knows(model: "other"))
    #expect(try fixture.ask("SELECT id, steps FROM clusterJob") == ["a|compress,evaluate"])
  }
}
