import Checkpoints
import Compression
import Engine
import Export
import Foundation
import Inference
import Serving
import Sessions
import Terminal
import Testing

@testable import Workbench

/// `:submit`, and what the Jobs screen makes of what a cluster says.
@Suite struct ClusterTests {
  private static let url = "http://head:8265"

  /// What the workbench asks the outside world for when the engine has packed a job.
  private func submitted(
    _ app: inout App, _ words: String = url
  ) throws -> (job: SubmittedJob, sending: ClusterSending) {
    app.command("submit \(words)")
    guard case .packJob(let id, let request)? = app.commands.last else {
      throw Missing(what: "a job to pack")
    }
    let packed = PackedJob(
      request: request, files: [.init(name: "job.py", text: "pass\n")], model: "m",
      fingerprint: app.state.model?.whole.fingerprint ?? "", plan: app.state.history.current.yaml())
    app.send(.jobPacked(id, packed))
    app.send(.jobEnded(id, .finished))
    for case .submitJob(let job, let sending) in app.effects.reversed() { return (job, sending) }
    throw Missing(what: "a job to submit")
  }

  private struct Missing: Error { let what: String }

  private func news(_ app: inout App, _ job: SubmittedJob, _ news: ClusterNews) {
    app.handle(.cluster(.news(job.id, news)))
  }

  private static func summary() -> EvaluationSummary {
    EvaluationSummary(
      tokens: 8, windows: 2, referencePPL: Estimate(10), compressedPPL: Estimate(11),
      divergence: .init(
        mean: Estimate(0.0123), median: Estimate(0.01), p99: Estimate(0.1), max: Estimate(0.2)),
      windowDivergences: [0.0123, 0.0123], windowLosses: [2.3, 2.3])
  }

  @Test func aJobIsKeptBeforeItIsSent() throws {
    var app = App()
    let (job, sending) = try submitted(&app, "\(Self.url) org/model gpus=2 work=/shared")
    #expect(job.cluster == Self.url && job.folder == "/shared/\(sending.package.digest)")
    #expect(sending.submission.gpus == 2 && sending.submission.id == job.id)
    #expect(sending.submission.entrypoint.contains("--model org/model"))
    let kept = app.effects.firstIndex { $0 == .keepClusterJob(job) }
    let sent = app.effects.firstIndex { if case .submitJob = $0 { true } else { false } }
    #expect(try #require(kept) < #require(sent))
  }

  @Test(arguments: ["", "head:8265", "http://head:8265 a b", "http://head:8265 gpus=x"])
  func wordsThatMeanNothing(_ words: String) {
    var app = App()
    app.command("submit \(words)")
    #expect(!app.commands.contains { if case .packJob = $0 { true } else { false } })
  }

  @Test func theJobsScreenFollows() throws {
    var app = App()
    let (job, _) = try submitted(&app)
    app.press("F6")
    news(&app, job, .state(ClusterJob(id: job.id, state: .running)))
    news(&app, job, .lines(["one", "vise: evaluate 3/32 windows"]))
    var progress = ClusterProgress(step: "evaluate")
    (progress.done, progress.total) = (3, 32)
    news(&app, job, .progress(progress))
    #expect(app.row("cluster").contains("3/32"))
    #expect(app.screen.contains("vise: evaluate 3/32 windows"))
    #expect(app.screen.contains("running"))
    news(&app, job, .unreachable(ServerFailure("\(Self.url): nobody answers there")))
    #expect(app.screen.contains("nobody answers there") && app.screen.contains("no answer"))
    news(&app, job, .lines(["back"]))
    #expect(!app.screen.contains("nobody answers there"))
  }

  @Test func aLogIsKeptAtItsEnd() throws {
    var app = App()
    let (job, _) = try submitted(&app)
    news(&app, job, .lines((0..<100_000).map { "line \($0)" }))
    let entry = try #require(app.state.cluster.entries.values.first)
    #expect(entry.log.count == ClusterState.logLimit && entry.log.last == "line 99999")
  }

  @Test func cancellingStopsItThere() throws {
    var app = App()
    let (job, _) = try submitted(&app)
    app.press("F6", "ctrl-c")
    #expect(app.effects.contains(.stopJob(job)))
    app.handle(.cluster(.over(job.id, ClusterJob(id: job.id, state: .stopped), nil)))
    #expect(app.row("cluster").contains("cancelled"))
    var stopped = job
    stopped.state = "STOPPED"
    #expect(app.effects.contains(.keepClusterJob(stopped)))
  }

  @Test func figuresOpenBesideLocalPlans() throws {
    var app = App()
    let (job, _) = try submitted(&app)
    let file = EvaluationFile(text: "e.txt", summary: Self.summary())
    let end = ClusterEvent.over(job.id, ClusterJob(id: job.id, state: .succeeded), file)
    app.handle(.cluster(end))
    #expect(app.state.snapshots.all.map(\.name) == ["cluster"])
    #expect(app.state.evaluations.all.count == 1)
    app.press("F4")
    #expect(app.row("cluster").contains("0.0123"))
    // A job that is found again by two sessions tells its figures once.
    app.handle(.cluster(end))
    #expect(app.state.snapshots.all.count == 1)
  }

  @Test func jobsOfEarlierSessionsAreFollowed() throws {
    var app = App()
    let fingerprint = try #require(app.state.model?.whole.fingerprint)
    func kept(_ id: String, _ state: ClusterJobState) -> SubmittedJob {
      SubmittedJob(
        id: id, cluster: Self.url, model: "m", fingerprint: fingerprint, plan: "", steps: [],
        package: "p", folder: "f", bytes: 0, bitsPerWeight: 0,
        submitted: Date(timeIntervalSince1970: 0), state: state.rawValue)
    }
    let going = kept("vise_b", .running)
    let read = FileEvent.clusterJobsRead(
      fingerprint: fingerprint, [going, kept("vise_a", .succeeded)])
    app.handle(.file(read))
    #expect(
      app.effects.last { if case .followJob = $0 { true } else { false } } == .followJob(going))
    app.press("F6")
    #expect(app.screen.contains("vise_b") && !app.screen.contains("vise_a"))
    app.handle(.file(read))
    #expect(app.state.cluster.entries.count == 1)
    app.handle(.cluster(.over("vise_b", ClusterJob(id: "vise_b", state: .lost), nil)))
    #expect(app.screen.contains("does not know"))
  }

  @Test func aRefusalIsToldAndNotLookedForAgain() throws {
    var app = App()
    let (job, _) = try submitted(&app)
    app.handle(.cluster(.refused(job.id, reason: "no such cluster")))
    #expect(app.screen.contains("no such cluster"))
    var lost = job
    lost.state = "LOST"
    #expect(app.effects.contains(.keepClusterJob(lost)))
  }

  @Test func jobsOnClustersOutliveTheEngine() throws {
    var app = App()
    _ = try submitted(&app)
    #expect(app.state.jobs.jobs.contains { $0.kind == .cluster && $0.isRunning })
    #expect(!app.state.jobs.hasWork)
  }
}
