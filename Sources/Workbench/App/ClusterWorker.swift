import Export
import Foundation
import Inference
import Serving
import Sessions
import Synchronization

/// Sends jobs to clusters, and follows them, away from the screen's thread.
final class ClusterWorker: Sendable {
  private let report: @Sendable (ClusterEvent) -> Void
  /// What follows each job, by its id.
  private let tasks = Mutex<[String: Task<Void, Never>]>([:])

  /// - Parameter report: Told what came of it, on a thread of its own.
  init(report: @escaping @Sendable (ClusterEvent) -> Void) { self.report = report }

  func carryOut(_ effect: Effect) {
    switch effect {
    case .submitJob(let job, let sending):
      begin(job) { [report] cluster throws(ServerFailure) in
        do throws(ServerFailure) {
          _ = try await cluster.version()
          _ = try await cluster.bring(sending.package.name, sending.package.archive)
          try await cluster.submit(sending.submission)
        } catch {
          report(.refused(job.id, reason: error.description))
          return
        }
        report(.sent(job.id))
        try await Self.follow(job, on: cluster, report)
      }
    case .followJob(let job):
      begin(job) { [report] cluster throws(ServerFailure) in
        try await Self.follow(job, on: cluster, report)
      }
    case .stopJob(let job):
      let report = report
      Task {
        do throws(ServerFailure) {
          try await RayCluster(try ClusterAddress(job.cluster)).stop(job.id)
        } catch {
          report(.news(job.id, .unreachable(error)))
        }
      }
    default: break
    }
  }

  /// Does something with a job's cluster, unless the job is followed already.
  private func begin(
    _ job: SubmittedJob,
    _ body: @escaping @Sendable (RayCluster) async throws(ServerFailure) -> Void
  ) {
    let report = report
    tasks.withLock { tasks in
      guard tasks[job.id] == nil else { return }
      tasks[job.id] = Task { [weak self] in
        do throws(ServerFailure) {
          try await body(RayCluster(try ClusterAddress(job.cluster)))
        } catch {
          report(.failed(job.id, reason: error.description))
        }
        _ = self?.tasks.withLock { $0.removeValue(forKey: job.id) }
      }
    }
  }

  private static func follow(
    _ job: SubmittedJob, on cluster: RayCluster, _ report: @Sendable (ClusterEvent) -> Void
  ) async throws(ServerFailure) {
    let end = try await JobFollower(job.id, on: cluster).run { report(.news(job.id, $0)) }
    let isMeasured = end.state == .succeeded && job.steps.contains("evaluate")
    report(.over(job.id, end, isMeasured ? try await evaluation(of: job, on: cluster) : nil))
  }

  private static func evaluation(
    of job: SubmittedJob, on cluster: RayCluster
  ) async throws(ServerFailure) -> EvaluationFile {
    let results = JobResults(in: job.folder, package: job.package, on: cluster)
    guard let file = try await results.files().first(where: { $0.name == "evaluation.json" }) else {
      throw ServerFailure("\(job.cluster): \(job.folder) holds no evaluation")
    }
    var text = Data()
    for offset in results.parts(of: file) { text += try await results.part(of: file, from: offset) }
    do throws(EvaluationFile.Flaw) {
      return try EvaluationFile(String(decoding: text, as: UTF8.self))
    } catch {
      throw ServerFailure("\(job.cluster): \(job.folder)/evaluation.json \(error.reason)")
    }
  }
}
