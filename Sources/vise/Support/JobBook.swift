import Checkpoints
import Compression
import Foundation
import Inference
import Serving
import Sessions

/// The jobs that this user has sent to clusters.
struct JobBook {
  private let store: SessionStore?

  /// - Parameter makes: Whether the database is made where there is none.
  /// - Throws: ``CommandFailure`` when it cannot be used.
  init(makes: Bool = false) throws(CommandFailure) {
    let environment = ProcessInfo.processInfo.environment
    guard let directory = StateDirectory.path(in: environment),
      makes || FileManager.default.fileExists(atPath: directory)
    else {
      store = nil
      return
    }
    do throws(SessionError) { store = try SessionStore(directory: directory) } catch {
      throw CommandFailure(status: .failed, message: error.description)
    }
  }

  func jobs() throws(CommandFailure) -> [SubmittedJob] {
    try attempt { store throws(SessionError) in try store.submittedJobs() } ?? []
  }

  /// The job of that id, or the one that it is the beginning of.
  func job(_ id: String) throws(CommandFailure) -> SubmittedJob? {
    let all = try jobs()
    if let exact = all.first(where: { $0.id == id }) { return exact }
    let alike = all.filter { $0.id.hasPrefix(id) }
    guard alike.count < 2 else {
      throw CommandFailure(
        status: .usage, message: "\(id) may be \(alike.map(\.id).joined(separator: " or "))")
    }
    return alike.first
  }

  /// Keeps what a job measured of its plan with the model's evaluations, unless that is there or the model was never open.
  func keep(_ file: EvaluationFile, of job: SubmittedJob) throws(CommandFailure) {
    guard let plan = try? Plan(yaml: job.plan) else { return }
    try attempt { store throws(SessionError) in
      let known = try store.evaluations(of: job.fingerprint)
      guard !known.contains(where: { $0.plan == plan && $0.result == file.summary }),
        try store.knows(model: job.fingerprint)
      else { return }
      _ = try store.record(
        PlanEvaluation(
          textPath: file.text, plan: plan, result: file.summary, bytes: job.bytes,
          bitsPerWeight: job.bitsPerWeight), of: job.fingerprint)
    }
  }

  /// Notes a model, for evaluations to be kept with.
  func note(_ model: ModelDescription) throws(CommandFailure) {
    let record = ModelRecord(
      fingerprint: model.fingerprint, name: model.name,
      path: URL(filePath: model.path).standardizedFileURL.path, tensorBytes: model.tensorBytes,
      parameterCount: model.parameterCount)
    try attempt { store throws(SessionError) in try store.note(record) }
  }

  func record(_ job: SubmittedJob) throws(CommandFailure) {
    try attempt { store throws(SessionError) in try store.record(job) }
  }

  func note(_ state: ClusterJobState, of id: String) throws(CommandFailure) {
    try attempt { store throws(SessionError) in
      try store.note(state: state.rawValue, ofJob: id)
    }
  }

  func forget(_ id: String) throws(CommandFailure) {
    try attempt { store throws(SessionError) in try store.forget(job: id) }
  }

  @discardableResult
  private func attempt<Value>(
    _ body: (SessionStore) throws(SessionError) -> Value
  ) throws(CommandFailure) -> Value? {
    guard let store else { return nil }
    do throws(SessionError) { return try body(store) } catch {
      throw CommandFailure(status: .failed, message: error.description)
    }
  }
}
