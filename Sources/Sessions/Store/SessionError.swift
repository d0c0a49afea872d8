import GRDB
import Tensors

/// Why what was kept of sessions cannot be read or written.
public struct SessionError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The database's path.
  public let path: String
  /// What is wrong, in a clause without the path.
  public let reason: String

  public var description: String { "\(path) \(reason)" }

  /// Whether another program held the database for longer than was waited, so that the next attempt may succeed.
  public private(set) var isBusy = false
  /// Whether the database can no longer be used at all: it is damaged, or cannot be opened.
  public private(set) var isLasting = false

  public init(path: String, reason: String) {
    self.path = path
    self.reason = reason
  }

  /// What a failed call on the database, or on the files around it, means.
  init(_ error: any Error, path: String) {
    switch error {
    case let error as SessionError: self = error
    case let error as StorageError: self.init(path: error.path, reason: error.reason)
    case let error as DatabaseError:
      self.init(path: path, reason: Self.reason(error))
      switch error.resultCode {
      case .SQLITE_BUSY, .SQLITE_LOCKED: isBusy = true
      case .SQLITE_CORRUPT, .SQLITE_NOTADB, .SQLITE_CANTOPEN: isLasting = true
      default: break
      }
    default: self.init(path: path, reason: "cannot be used: \(error)")
    }
  }

  private static func reason(_ error: DatabaseError) -> String {
    switch error.resultCode {
    case .SQLITE_CORRUPT, .SQLITE_NOTADB: "is damaged"
    case .SQLITE_FULL: "cannot be written: the disk is full"
    case .SQLITE_READONLY, .SQLITE_PERM: "cannot be written: permission denied"
    case .SQLITE_CANTOPEN: "cannot be opened"
    case .SQLITE_BUSY, .SQLITE_LOCKED: "is held by another program that does not let go of it"
    default: "cannot be used: \(error.message ?? error.resultCode.description)"
    }
  }
}
