import Compression
import GRDB
import Tensors

/// Plans in the database: each once for a model.
enum PlanTable {
  /// The number of a plan, which is added if it is not there.
  static func id(of plan: Plan, model fingerprint: String, in db: Database) throws -> Int64 {
    let yaml = plan.yaml()
    let hash = Int64(bitPattern: ContentHash(of: yaml.utf8).value)
    let known = try Int64.fetchOne(
      db, sql: "SELECT id FROM plan WHERE model = ? AND hash = ? AND yaml = ?",
      arguments: [fingerprint, hash, yaml])
    if let known { return known }
    try db.execute(
      sql: "INSERT INTO plan (model, hash, yaml) VALUES (?, ?, ?)",
      arguments: [fingerprint, hash, yaml])
    return db.lastInsertedRowID
  }

  /// Removes the plans of a model that nothing refers to.
  static func sweep(model fingerprint: String, in db: Database) throws {
    try db.execute(
      sql: """
        DELETE FROM plan WHERE model = ? AND id NOT IN (SELECT plan FROM version)
          AND id NOT IN (SELECT plan FROM evaluation)
          AND id NOT IN (SELECT saved FROM session WHERE saved IS NOT NULL)
        """, arguments: [fingerprint])
  }
}

/// Plans by their numbers, each read once.
struct PlanReader {
  let db: Database
  private var known: [Int64: Plan] = [:]

  init(_ db: Database) { self.db = db }

  /// - Throws: ``PlanError`` for one that this version cannot read.
  mutating func plan(_ id: Int64) throws -> Plan {
    if let plan = known[id] { return plan }
    let yaml = try String.fetchOne(db, sql: "SELECT yaml FROM plan WHERE id = ?", arguments: [id])
    let plan = try Plan(yaml: yaml ?? "")
    known[id] = plan
    return plan
  }
}
