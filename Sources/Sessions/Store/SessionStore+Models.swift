import Foundation
import GRDB

extension SessionStore {
  /// Notes that a model was opened.
  public func note(_ model: ModelRecord, opened: Date = Date()) throws(SessionError) {
    try write {
      try $0.execute(
        sql: """
          INSERT INTO model (fingerprint, name, path, tensorBytes, parameterCount, opened)
          VALUES (?, ?, ?, ?, ?, ?)
          ON CONFLICT (fingerprint) DO UPDATE SET name = excluded.name, path = excluded.path,
            tensorBytes = excluded.tensorBytes, parameterCount = excluded.parameterCount,
            opened = excluded.opened
          """,
        arguments: [
          model.fingerprint, model.name, model.path, model.tensorBytes, model.parameterCount,
          opened.timeIntervalSince1970,
        ])
    }
  }

  /// The models that were opened, those opened last first.
  public func recentModels(limit: Int = 20) throws(SessionError) -> [RecentModel] {
    try read { db in
      try Row.fetchAll(
        db,
        sql: """
          SELECT model.*, session.*,
            (SELECT count(*) FROM evaluation WHERE evaluation.model = fingerprint) AS evaluations,
            (SELECT plan FROM version WHERE session = session.id AND number = position) AS current,
            (SELECT count(*) FROM version WHERE session = session.id AND number < position) AS changes
          FROM model LEFT JOIN session ON session.id =
            (SELECT id FROM session WHERE session.model = fingerprint
               ORDER BY hasWork DESC, changed DESC LIMIT 1)
          ORDER BY opened DESC, fingerprint LIMIT ?
          """,
        arguments: [limit]
      ).map(RecentModel.init)
    }
  }

  /// Whether a model was ever noted.
  public func knows(model fingerprint: String) throws(SessionError) -> Bool {
    try read {
      try Int.fetchOne(
        $0, sql: "SELECT 1 FROM model WHERE fingerprint = ?", arguments: [fingerprint]) != nil
    }
  }

  /// Forgets a model with everything that is kept of it.
  public func forget(_ fingerprint: String) throws(SessionError) {
    try write {
      try $0.execute(sql: "DELETE FROM model WHERE fingerprint = ?", arguments: [fingerprint])
    }
  }
}

extension RecentModel {
  fileprivate init(_ row: Row) {
    model = ModelRecord(
      fingerprint: row["fingerprint"], name: row["name"], path: row["path"],
      tensorBytes: row["tensorBytes"], parameterCount: row["parameterCount"])
    opened = Date(timeIntervalSince1970: row["opened"])
    evaluations = row["evaluations"]
    guard let changed = row["changed"] as Double? else {
      plan = nil
      return
    }
    plan = Plan(
      file: row["file"], changes: row["changes"],
      isSaved: row["current"] as Int64? == row["saved"] as Int64?, target: row["target"],
      bytes: row["bytes"], bitsPerWeight: row["bitsPerWeight"],
      changed: Date(timeIntervalSince1970: changed))
  }
}
