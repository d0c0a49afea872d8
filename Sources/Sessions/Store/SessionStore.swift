import Foundation
import GRDB
import Tensors

/// What outlives sessions, of every model: recent models, sessions, evaluations and snapshots, in one SQLite database that
/// several programs read and write at a time.
///
/// Every change is one transaction: a program that is killed leaves it as before or complete. Calls block on
/// the disk, and on other writers up to ``patience``; never call them on the UI thread.
public final class SessionStore: Sendable {
  /// The database's path.
  public let path: String
  /// The directory that it is in, for this user alone.
  public let directory: String
  private let queue: DatabaseQueue

  /// How long another program may hold the database before a call gives up, in seconds.
  public static let patience = 5.0

  /// Opens the database in a directory; both are made if they are not there, for this user alone.
  ///
  /// - Throws: ``SessionError`` when it is damaged, of a later version, none of Vise's, or cannot be opened; nothing is
  ///   changed then.
  public init(directory: String) throws(SessionError) {
    self.directory = directory
    let path = "\(directory)/sessions.sqlite"
    self.path = path
    do {
      try Self.prepare(directory, database: path)
      // Two programs that begin at once must not both bring the tables up to date.
      let lock = try DirectoryLock(directory)
      var configuration = Configuration()
      configuration.busyMode = .timeout(Self.patience)
      configuration.label = "vise.sessions"
      var looking = configuration
      looking.readonly = true
      try DatabaseQueue(path: path, configuration: looking).read { try Self.check($0, path: path) }
      // Readers never wait for a writer, nor a writer for them. What is written outlives the program at once, and a
      // power failure all but the last of it.
      configuration.prepareDatabase {
        try $0.execute(sql: "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL")
      }
      queue = try DatabaseQueue(path: path, configuration: configuration)
      try SessionSchema.migrator.migrate(queue)
      _ = consume lock
    } catch {
      throw SessionError(error, path: path)
    }
  }

  private static func prepare(_ directory: String, database: String) throws {
    let files = FileManager.default
    try files.createDirectory(
      atPath: directory, withIntermediateDirectories: true,
      attributes: [.posixPermissions: 0o700])
    guard !files.fileExists(atPath: database) else { return }
    _ = files.createFile(atPath: database, contents: nil, attributes: [.posixPermissions: 0o600])
  }

  /// Refuses what is no database of Vise's, was written by a later version, or has a damaged page.
  private static func check(_ db: Database, path: String) throws {
    guard try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_schema") ?? 0 > 0 else { return }
    guard try Int.fetchOne(db, sql: "PRAGMA application_id") == SessionSchema.applicationID else {
      throw SessionError(path: path, reason: "is not a database of Vise's")
    }
    guard try !SessionSchema.migrator.hasBeenSuperseded(db) else {
      throw SessionError(path: path, reason: "was written by a later version of Vise")
    }
    guard try String.fetchAll(db, sql: "PRAGMA quick_check(1)") == ["ok"] else {
      throw SessionError(path: path, reason: "is damaged")
    }
  }

  func read<Value>(_ body: (Database) throws -> Value) throws(SessionError) -> Value {
    do { return try queue.read(body) } catch { throw SessionError(error, path: path) }
  }

  func write<Value>(_ body: (Database) throws -> Value) throws(SessionError) -> Value {
    do { return try queue.write(body) } catch { throw SessionError(error, path: path) }
  }

  /// What a row holds; nil for what this version cannot read, which stays in the database.
  func readable<Value>(_ body: () throws -> Value) throws -> Value? {
    do {
      return try body()
    } catch let error as DatabaseError {
      throw error
    } catch {
      return nil
    }
  }

  // MARK: Settings

  /// A setting that holds for every model, such as the theme; nil where it was never set.
  public func setting(_ name: String) throws(SessionError) -> String? {
    try read {
      try String.fetchOne(
        $0, sql: "SELECT value FROM setting WHERE name = ?", arguments: [name])
    }
  }

  public func set(_ name: String, to value: String) throws(SessionError) {
    try write {
      try $0.execute(
        sql: "INSERT OR REPLACE INTO setting (name, value) VALUES (?, ?)", arguments: [name, value])
    }
  }
}
