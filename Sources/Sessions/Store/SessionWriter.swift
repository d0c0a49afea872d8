import Foundation
import GRDB

/// Writes one session as it changes: of each change only what is new.
public struct SessionWriter: Sendable {
  private let store: SessionStore
  private let held: HeldSession
  private let fingerprint: String
  /// What is in the database; nil for nothing yet.
  private var written: SavedSession?

  /// The sessions of one model that are kept; older ones go when a new one is written first.
  static let kept = 20

  /// A writer for a session of a model that was noted.
  ///
  /// - Parameters:
  ///   - held: The session, which nobody else writes.
  ///   - session: What the database holds of it; nil for nothing.
  ///   - fingerprint: The model's.
  ///   - store: Where it is written.
  public init(
    _ held: HeldSession, with session: SavedSession?, of fingerprint: String, in store: SessionStore
  ) {
    (self.store, self.held, self.fingerprint, written) = (store, held, fingerprint, session)
  }

  public mutating func write(
    _ session: SavedSession, changed: Date = Date()
  ) throws(SessionError) {
    guard session != written else { return }
    try store.write { db in
      // Another program may have removed the session meanwhile; then all of it is written again.
      let known = try isKept(in: db) ? written : nil
      try writeRow(session, changed: changed, in: db)
      try writeVersions(session, over: known, in: db)
      for (name, json) in session.documents where known?.documents[name] != json {
        try db.execute(
          sql: "INSERT OR REPLACE INTO document (session, name, json) VALUES (?, ?, ?)",
          arguments: [held.id, name, json])
      }
      if known == nil { try forgetOldSessions(in: db) }
    }
    if written == nil { store.sweepLifeSigns() }
    written = session
  }

  private func isKept(in db: Database) throws -> Bool {
    try Int.fetchOne(db, sql: "SELECT 1 FROM session WHERE id = ?", arguments: [held.id]) != nil
  }

  private func writeRow(_ session: SavedSession, changed: Date, in db: Database) throws {
    try db.execute(
      sql: """
        INSERT INTO session
          (id, model, changed, position, saved, file, target, bytes, bitsPerWeight, hasWork)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (id) DO UPDATE SET changed = excluded.changed, position = excluded.position,
          saved = excluded.saved, file = excluded.file, target = excluded.target,
          bytes = excluded.bytes, bitsPerWeight = excluded.bitsPerWeight,
          hasWork = excluded.hasWork
        """,
      arguments: [
        held.id, fingerprint, changed.timeIntervalSince1970,
        session.forgotten + session.position,
        try PlanTable.id(of: session.saved, model: fingerprint, in: db), session.file,
        session.target, session.bytes, session.bitsPerWeight, session.hasWork,
      ])
  }

  private func writeVersions(
    _ session: SavedSession, over known: SavedSession?, in db: Database
  ) throws {
    let end = session.forgotten + session.versions.count
    try db.execute(
      sql: "DELETE FROM version WHERE session = ? AND (number < ? OR number >= ?)",
      arguments: [held.id, session.forgotten, end])
    for (place, version) in session.versions.enumerated() {
      let number = session.forgotten + place
      guard known?.version(number) != version else { continue }
      try db.execute(
        sql: "INSERT OR REPLACE INTO version (session, number, plan, change) VALUES (?, ?, ?, ?)",
        arguments: [
          held.id, number, try PlanTable.id(of: version.plan, model: fingerprint, in: db),
          version.change,
        ])
    }
  }

  private func forgetOldSessions(in db: Database) throws {
    try db.execute(
      sql: """
        DELETE FROM session WHERE model = ? AND id <> ? AND id NOT IN
          (SELECT id FROM session WHERE model = ?
            ORDER BY hasWork DESC, changed DESC LIMIT ?)
        """, arguments: [fingerprint, held.id, fingerprint, Self.kept])
    try PlanTable.sweep(model: fingerprint, in: db)
  }
}

extension SavedSession {
  /// The version of a number; nil where it is none of those that are left.
  fileprivate func version(_ number: Int) -> PlanVersion? {
    let place = number - forgotten
    return versions.indices.contains(place) ? versions[place] : nil
  }
}
