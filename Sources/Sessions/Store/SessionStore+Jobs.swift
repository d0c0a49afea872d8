import Foundation
import GRDB

extension SessionStore {
  /// Keeps a job that was sent to a cluster, or what is new of it.
  public func record(_ job: SubmittedJob) throws(SessionError) {
    try write {
      try $0.execute(
        sql: """
          INSERT OR REPLACE INTO clusterJob (id, cluster, model, fingerprint, plan, steps, package,
            folder, bytes, bitsPerWeight, submitted, state)
          VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
          """,
        arguments: [
          job.id, job.cluster, job.model, job.fingerprint, job.plan,
          job.steps.joined(separator: ","), job.package, job.folder, job.bytes, job.bitsPerWeight,
          job.submitted.timeIntervalSince1970, job.state,
        ])
    }
  }

  /// Notes a job's state, if the job is kept.
  public func note(state: String, ofJob id: String) throws(SessionError) {
    try write {
      try $0.execute(
        sql: "UPDATE clusterJob SET state = ? WHERE id = ?", arguments: [state, id])
    }
  }

  /// The jobs that were sent to clusters, the newest first: those of a model, or all.
  public func submittedJobs(of fingerprint: String? = nil) throws(SessionError) -> [SubmittedJob] {
    try read { db in
      try Row.fetchAll(
        db,
        sql: """
          SELECT * FROM clusterJob WHERE ? IS NULL OR fingerprint = ? ORDER BY submitted DESC, id
          """, arguments: [fingerprint, fingerprint]
      ).map(SubmittedJob.init)
    }
  }

  /// Forgets a job.
  public func forget(job id: String) throws(SessionError) {
    try write { try $0.execute(sql: "DELETE FROM clusterJob WHERE id = ?", arguments: [id]) }
  }
}

extension SubmittedJob {
  fileprivate init(_ row: Row) {
    let steps: String = row["steps"]
    self.init(
      id: row["id"], cluster: row["cluster"], model: row["model"],
      fingerprint: row["fingerprint"], plan: row["plan"],
      steps: steps.split(separator: ",").map(String.init), package: row["package"],
      folder: row["folder"], bytes: row["bytes"], bitsPerWeight: row["bitsPerWeight"],
      submitted: Date(timeIntervalSince1970: row["submitted"]), state: row["state"])
  }
}
