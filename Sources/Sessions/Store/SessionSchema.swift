import GRDB

/// The tables of the database, and how earlier versions become the present one.
enum SessionSchema {
  /// What SQLite's header says of files of this kind: "Vise".
  static let applicationID = 0x5669_7365

  /// All versions in their order.
  ///
  /// One that was released is never changed; what is new comes after it.
  static var migrator: DatabaseMigrator {
    var migrator = DatabaseMigrator()
    migrator.registerMigration("1") { try $0.execute(sql: first) }
    migrator.registerMigration("2") { try $0.execute(sql: clusterJobs) }
    return migrator
  }

  /// Jobs on clusters, by what their senders called them; one outlives the session and the model that it is of.
  private static let clusterJobs = """
    CREATE TABLE clusterJob (
      id TEXT PRIMARY KEY, cluster TEXT NOT NULL, model TEXT NOT NULL, fingerprint TEXT NOT NULL,
      plan TEXT NOT NULL, steps TEXT NOT NULL, package TEXT NOT NULL, folder TEXT NOT NULL,
      bytes INTEGER NOT NULL, bitsPerWeight REAL NOT NULL, submitted REAL NOT NULL,
      state TEXT NOT NULL
    ) STRICT;
    CREATE INDEX clusterJobByModel ON clusterJob (fingerprint, submitted);
    """

  /// Plans are kept once for each model, found by the hash of their YAML.
  ///
  /// A session's versions are numbered from the
  /// oldest that undo reaches; `position` is the number of the current one. Documents are JSON whose meaning only the
  /// workbench knows.
  private static let first = """
    PRAGMA application_id = \(applicationID);
    CREATE TABLE model (
      fingerprint TEXT PRIMARY KEY, name TEXT NOT NULL, path TEXT NOT NULL,
      tensorBytes INTEGER NOT NULL, parameterCount INTEGER NOT NULL, opened REAL NOT NULL
    ) STRICT;
    CREATE TABLE plan (
      id INTEGER PRIMARY KEY, model TEXT NOT NULL REFERENCES model ON DELETE CASCADE,
      hash INTEGER NOT NULL, yaml TEXT NOT NULL
    ) STRICT;
    CREATE INDEX planByHash ON plan (model, hash);
    CREATE TABLE session (
      id TEXT PRIMARY KEY, model TEXT NOT NULL REFERENCES model ON DELETE CASCADE,
      changed REAL NOT NULL, position INTEGER NOT NULL, saved INTEGER REFERENCES plan, file TEXT,
      target TEXT, bytes INTEGER NOT NULL, bitsPerWeight REAL NOT NULL, hasWork INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX sessionByModel ON session (model, hasWork, changed);
    CREATE TABLE version (
      session TEXT NOT NULL REFERENCES session ON DELETE CASCADE, number INTEGER NOT NULL,
      plan INTEGER NOT NULL REFERENCES plan, change TEXT NOT NULL, PRIMARY KEY (session, number)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX versionByPlan ON version (plan);
    CREATE TABLE document (
      session TEXT NOT NULL REFERENCES session ON DELETE CASCADE, name TEXT NOT NULL,
      json TEXT NOT NULL, PRIMARY KEY (session, name)
    ) STRICT;
    CREATE TABLE evaluation (
      id INTEGER PRIMARY KEY AUTOINCREMENT, model TEXT NOT NULL REFERENCES model ON DELETE CASCADE,
      plan INTEGER NOT NULL REFERENCES plan, text TEXT NOT NULL, result TEXT NOT NULL,
      bytes INTEGER NOT NULL, bitsPerWeight REAL NOT NULL, finished REAL NOT NULL
    ) STRICT;
    CREATE INDEX evaluationByModel ON evaluation (model, finished);
    CREATE INDEX evaluationByPlan ON evaluation (plan);
    CREATE TABLE snapshot (
      model TEXT NOT NULL REFERENCES model ON DELETE CASCADE, name TEXT NOT NULL,
      place INTEGER NOT NULL, contents TEXT NOT NULL, PRIMARY KEY (model, name)
    ) STRICT;
    CREATE TABLE importedFile (
      model TEXT NOT NULL REFERENCES model ON DELETE CASCADE, path TEXT NOT NULL,
      hash INTEGER NOT NULL, PRIMARY KEY (model, path)
    ) STRICT;
    CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
    """
}
