import GRDB

extension SessionStore {
  /// What is known of a model's snapshots, and of the files that earlier versions kept them in.
  public struct FoundSnapshots: Sendable {
    public var all: [Snapshot] = []
    /// Whether some come from a file of a version that told models apart by shapes alone: they may be of another model.
    public var hasOlder = false
    /// Why such a file cannot be read; it stays as it is.
    public var flaw: SessionError?
  }

  /// The snapshots of a model, with those that earlier versions have left in files of their own since it was last opened.
  ///
  /// - Parameters:
  ///   - fingerprint: Of a model that was noted.
  ///   - older: The fingerprint of its headers alone, under which earlier versions saved.
  /// - Returns: what is saved now, and what is to be said of the files.
  /// - Throws: ``SessionError`` when the database cannot be used.
  public func snapshots(of fingerprint: String, older: String?) throws(SessionError)
    -> FoundSnapshots
  {
    var found = FoundSnapshots()
    for name in [fingerprint, older].compactMap(\.self) {
      let path = "\(directory)/snapshots/\(name).json"
      do {
        guard let file = try SnapshotFile.read(path) else { continue }
        let isNew = try bringIn(file.snapshots, hash: file.hash, from: path, of: fingerprint)
        found.hasOlder = found.hasOlder || (isNew && name == older && !file.snapshots.isEmpty)
      } catch {
        found.flaw = error
      }
      // What the later version wrote is all that there was in the older file.
      break
    }
    found.all = try read { try Self.snapshots($0, of: fingerprint) }
    return found
  }

  /// Adds what a file holds, unless it is as it was the last time; whether it is not.
  private func bringIn(
    _ snapshots: [Snapshot], hash: UInt64, from path: String, of fingerprint: String
  ) throws(SessionError) -> Bool {
    let hash = Int64(bitPattern: hash)
    return try write { db in
      let known = try Int64.fetchOne(
        db, sql: "SELECT hash FROM importedFile WHERE model = ? AND path = ?",
        arguments: [fingerprint, path])
      guard known != hash else { return false }
      let present = try Self.snapshots(db, of: fingerprint)
      let merged = SnapshotMerge(base: [], mine: snapshots, theirs: present).result
      try Self.replace(db, with: merged, of: fingerprint)
      try db.execute(
        sql: "INSERT OR REPLACE INTO importedFile (model, path, hash) VALUES (?, ?, ?)",
        arguments: [fingerprint, path, hash])
      return true
    }
  }

  /// Saves the snapshots of a model beside what other programs saved since `base` was read or saved.
  ///
  /// - Returns: what is saved now.
  public func save(
    _ snapshots: [Snapshot], of fingerprint: String, since base: [Snapshot]
  ) throws(SessionError) -> [Snapshot] {
    try write { db in
      let theirs = try Self.snapshots(db, of: fingerprint)
      let merged = SnapshotMerge(base: base, mine: snapshots, theirs: theirs).result
      if merged != theirs { try Self.replace(db, with: merged, of: fingerprint) }
      return merged
    }
  }

  private static func snapshots(_ db: Database, of fingerprint: String) throws -> [Snapshot] {
    try String.fetchAll(
      db, sql: "SELECT contents FROM snapshot WHERE model = ? ORDER BY place",
      arguments: [fingerprint]
    ).compactMap { contents in
      try? SavedJSON.read(SnapshotContents.self, from: contents).snapshot()
    }
  }

  private static func replace(
    _ db: Database, with snapshots: [Snapshot], of fingerprint: String
  ) throws {
    // One that this version cannot read stays.
    for old in try Self.snapshots(db, of: fingerprint) {
      try db.execute(
        sql: "DELETE FROM snapshot WHERE model = ? AND name = ?",
        arguments: [fingerprint, old.name])
    }
    for (place, snapshot) in snapshots.enumerated() {
      try db.execute(
        sql: "INSERT OR REPLACE INTO snapshot (model, name, place, contents) VALUES (?, ?, ?, ?)",
        arguments: [
          fingerprint, snapshot.name, place, try SavedJSON.of(SnapshotContents(snapshot)),
        ])
    }
  }
}
