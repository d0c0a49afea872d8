import Engine
import Terminal

extension AppState {
  /// Calls the user after a job that brings a result, if that is asked for.
  func callAfter(_ id: JobID, _ outcome: JobOutcome) -> [Effect] {
    guard attention != .off, let job = jobs[id], job.kind.isWork else { return [] }
    switch outcome {
    case .finished: return [.call("Done: \(job.title)", attention)]
    case .failed: return [.call("Failed: \(job.title)", attention)]
    case .cancelled: return []
    }
  }
}
