import Foundation
import GRDB
import Inference

extension SessionStore {
  /// Keeps an evaluation of a model that was noted.
  ///
  /// - Returns: it with the time that it is kept under.
  public func record(
    _ evaluation: PlanEvaluation, of fingerprint: String, finished: Date = Date()
  ) throws(SessionError) -> PlanEvaluation {
    try write { db in
      try db.execute(
        sql: """
          INSERT INTO evaluation (model, plan, text, result, bytes, bitsPerWeight, finished)
          VALUES (?, ?, ?, ?, ?, ?, ?)
          """,
        arguments: [
          fingerprint, try PlanTable.id(of: evaluation.plan, model: fingerprint, in: db),
          evaluation.textPath, try SavedJSON.of(evaluation.result), evaluation.bytes,
          evaluation.bitsPerWeight, finished.timeIntervalSince1970,
        ])
    }
    var kept = evaluation
    kept.finished = finished
    return kept
  }

  /// Every evaluation of a model that this version can read, oldest first.
  public func evaluations(of fingerprint: String) throws(SessionError) -> [PlanEvaluation] {
    try read { db in
      var plans = PlanReader(db)
      return try Row.fetchAll(
        db, sql: "SELECT * FROM evaluation WHERE model = ? ORDER BY finished, id",
        arguments: [fingerprint]
      ).compactMap { row in
        try readable {
          PlanEvaluation(
            textPath: row["text"], plan: try plans.plan(row["plan"]),
            result: try SavedJSON.read(EvaluationSummary.self, from: row["result"]),
            bytes: row["bytes"], bitsPerWeight: row["bitsPerWeight"],
            finished: Date(timeIntervalSince1970: row["finished"]))
        }
      }
    }
  }
}
