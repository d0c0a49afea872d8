import Synchronization

/// What is heard of a job on a cluster.
public enum ClusterNews: Hashable, Sendable {
  case state(ClusterJob)
  case lines([String])
  case progress(ClusterProgress)
  /// A server that the job has started answers there.
  case serves(String)
  /// The cluster does not answer; it is asked again.
  case unreachable(ServerFailure)
}

/// Follows a job until it is over, across outages of the cluster.
public struct JobFollower: Sendable {
  private let cluster: RayCluster
  private let id: String
  /// Between two questions while the log is short.
  private let interval: Duration
  /// How long a cluster may be gone before following ends.
  private let patience: Duration

  public init(
    _ id: String, on cluster: RayCluster, interval: Duration = .seconds(2),
    patience: Duration = .seconds(1800)
  ) {
    (self.id, self.cluster, self.interval, self.patience) = (id, cluster, interval, patience)
  }

  /// Follows it.
  ///
  /// - Parameter report: Told what is new, in order.
  /// - Returns: The job as it is in the end; lost where the cluster knows it no more.
  /// - Throws: ``ServerFailure`` when the cluster refuses, or is gone for too long. Where the task is cancelled, the job is
  ///   returned as it was last.
  public func run(report: (ClusterNews) -> Void) async throws(ServerFailure) -> ClusterJob {
    var (log, last) = (JobLog(), ClusterJob?.none)
    var served: String?
    var goneSince: ContinuousClock.Instant?
    var (logBytes, saidLogIsGone) = (0, false)
    while true {
      do throws(ServerFailure) {
        let job = try await cluster.job(id) ?? ClusterJob(id: id, state: .lost)
        goneSince = nil
        if job != last { report(.state(job)) }
        last = job
      } catch {
        if goneSince == nil { report(.unreachable(error)) }
        let since = goneSince ?? .now
        goneSince = since
        guard !error.isRefusal, ContinuousClock.now - since < patience else { throw error }
      }
      if goneSince == nil, let job = last {
        do throws(ServerFailure) {
          // The state was asked for first: what is written before the end is in the log.
          let text = job.state == .lost ? "" : try await cluster.log(of: id)
          logBytes = text.utf8.count
          let lines = log.take(text, isOver: job.state.isOver)
          tell(lines, log, served: &served, report)
        } catch {
          // The node that keeps it may be gone, or it is too long: the state is still followed.
          if !saidLogIsGone { report(.unreachable(error)) }
          saidLogIsGone = true
        }
        if job.state.isOver { return job }
      }
      // A log is sent whole each time: a long one is asked for less often.
      let pause = interval * (1 + logBytes >> 20)
      do { try await Task.sleep(for: min(pause, .seconds(30))) } catch {
        return last ?? ClusterJob(id: id, state: .pending)
      }
    }
  }

  private func tell(
    _ lines: [String], _ log: JobLog, served: inout String?, _ report: (ClusterNews) -> Void
  ) {
    guard !lines.isEmpty else { return }
    report(.lines(lines))
    if let progress = log.progress { report(.progress(progress)) }
    if let url = log.servedURL, url != served {
      served = url
      report(.serves(cluster.address.reached(url)))
    }
  }
}
