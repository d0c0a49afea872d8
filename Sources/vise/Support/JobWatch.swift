import Glibc
import Serving

/// Follows a job and prints its log until it is over.
enum JobWatch {
  /// - Returns: The job as it is in the end.
  static func follow(
    _ id: String, on cluster: RayCluster, printsLog: Bool
  ) throws(CommandFailure) -> ClusterJob {
    // The engine that packed the job took the signal for itself; now it ends the program, and not the job.
    signal(SIGINT, SIG_DFL)
    let isTerminal = OutputStream.error.isTerminal
    let follower = JobFollower(id, on: cluster)
    return try awaited { () async throws(ServerFailure) in
      try await follower.run { news in
        switch news {
        case .lines(let lines):
          if isTerminal { OutputStream.error.replaceLine(with: nil) }
          if printsLog { OutputStream.standard.write(lines.map { $0 + "\n" }.joined()) }
        case .progress(let progress):
          if isTerminal { OutputStream.error.replaceLine(with: progress.text) }
        case .state(let job):
          if isTerminal { OutputStream.error.replaceLine(with: job.state.word) }
        case .serves(let url): OutputStream.error.writeLine("vise: the job serves at \(url)")
        case .unreachable(let failure):
          OutputStream.error.writeLine("vise: \(failure); asking again")
        }
      }
    }
  }

  /// Ends the command as the job ended.
  static func check(_ job: ClusterJob) throws(CommandFailure) {
    if OutputStream.error.isTerminal { OutputStream.error.replaceLine(with: nil) }
    switch job.state {
    case .pending, .running, .succeeded: return
    case .stopped:
      throw CommandFailure(status: .cancelled, message: "job \(job.id) was stopped")
    case .lost:
      throw CommandFailure(
        status: .failed,
        message:
          "the cluster does not know job \(job.id) any more; its head may have been started anew. The "
          + "same `vise submit` goes on from what is complete")
    case .failed:
      throw CommandFailure(
        status: .failed,
        message: "job \(job.id) failed: \(job.message.isEmpty ? "see its log" : job.message)")
    }
  }
}
