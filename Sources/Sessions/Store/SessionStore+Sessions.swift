import Foundation
import GRDB
import Tensors

/// A session that this program writes; nobody else goes on with it while this lives.
public final class HeldSession: Sendable {
  public let id: String
  private let sign: LifeSign

  fileprivate init(id: String, sign: LifeSign) {
    self.id = id
    self.sign = sign
  }
}

extension SessionStore {
  /// Begins a session of a model; nothing is in the database before it is saved.
  public func beginSession() throws(SessionError) -> HeldSession {
    try hold(UUID().uuidString.lowercased())
  }

  /// The newest session of a model that no living program writes, with what it left and when; nil where there is none.
  ///
  /// One in which nothing was done comes after all others; one that this version cannot read is left alone.
  public func lastSession(
    of fingerprint: String
  ) throws(SessionError) -> (held: HeldSession, session: SavedSession, changed: Date)? {
    let ids = try read {
      try String.fetchAll(
        $0,
        sql: """
          SELECT id FROM session WHERE model = ? ORDER BY hasWork DESC, changed DESC, id
          """,
        arguments: [fingerprint])
    }
    for id in ids {
      guard let held = try? hold(id) else { continue }
      // What is read after it is held is what its last writer left.
      if let found = try session(id) { return (held, found.session, found.changed) }
    }
    return nil
  }

  /// Removes what killed programs left of sessions that are no longer kept.
  func sweepLifeSigns() {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    let kept = Set((try? read { try String.fetchAll($0, sql: "SELECT id FROM session") }) ?? names)
    for name in names where !kept.contains(name) {
      // One that is held belongs to a session that is yet to be written.
      _ = try? LifeSign("\(folder)/\(name)")
    }
  }

  /// Where the locked files of living sessions are.
  private var folder: String { "\(directory)/living" }

  private func hold(_ id: String) throws(SessionError) -> HeldSession {
    do {
      try FileManager.default.createDirectory(
        atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
      return HeldSession(id: id, sign: try LifeSign("\(folder)/\(id)"))
    } catch {
      throw SessionError(error, path: path)
    }
  }

  private func session(
    _ id: String
  ) throws(SessionError) -> (session: SavedSession, changed: Date)? {
    try read { db in
      guard
        let row = try Row.fetchOne(
          db, sql: "SELECT * FROM session WHERE id = ?", arguments: [id])
      else { return nil }
      var plans = PlanReader(db)
      let position: Int = row["position"]
      let versions = try Row.fetchAll(
        db, sql: "SELECT number, plan, change FROM version WHERE session = ? ORDER BY number",
        arguments: [id])
      let first = versions.first.map { $0["number"] as Int } ?? 0
      let documents = try Row.fetchAll(
        db, sql: "SELECT name, json FROM document WHERE session = ?", arguments: [id])
      guard versions.indices.contains(position - first) else { return nil }
      let session = try readable {
        SavedSession(
          versions: try versions.map {
            PlanVersion(plan: try plans.plan($0["plan"]), change: $0["change"])
          },
          forgotten: first, position: position - first, saved: try plans.plan(row["saved"]),
          file: row["file"], target: row["target"], bytes: row["bytes"],
          bitsPerWeight: row["bitsPerWeight"], hasWork: row["hasWork"],
          documents: Dictionary(
            documents.map { ($0["name"], $0["json"]) }, uniquingKeysWith: { first, _ in first }))
      }
      return session.map { ($0, Date(timeIntervalSince1970: row["changed"])) }
    }
  }
}
