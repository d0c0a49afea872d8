import Foundation
import Synchronization
import Tensors
import YAML

/// The snapshots of every model on disk, a file each, which several workbenches read and write.
final class SnapshotStore: Sendable {
  /// The largest file of snapshots that is read, in bytes.
  private static let limit = 64 << 20

  /// nil keeps nothing.
  private let directory: String?
  /// What this session knows to be in the files, by fingerprint.
  private let known = Mutex<[String: [Snapshot]]>([:])

  init(directory: String?) { self.directory = directory }

  /// Reads the snapshots of a model, or else those that an earlier version saved under the fingerprint of its headers.
  func read(of fingerprint: String, older: String?) -> FileEvent {
    guard let directory else { return .snapshotsRead(fingerprint: fingerprint, []) }
    do throws(FileError) {
      if let found = try Self.snapshots(of: fingerprint, in: directory) {
        known.withLock { $0[fingerprint] = found }
        return .snapshotsRead(fingerprint: fingerprint, found)
      }
      // What is read of an older file is in no file of this model yet.
      known.withLock { $0[fingerprint] = [] }
      let found = try older.flatMap { fingerprint throws(FileError) in
        try Self.snapshots(of: fingerprint, in: directory)
      }
      return .snapshotsRead(fingerprint: fingerprint, found ?? [], isOlder: found != nil)
    } catch {
      return .snapshotsUnreadable(fingerprint: fingerprint, reason: error.description)
    }
  }

  /// Saves the snapshots of a model beside what others saved since this session read or saved them; the file is gone
  /// where there are none.
  ///
  /// - Returns: What went wrong, or what is saved where that is something else; nil for neither.
  func save(_ snapshots: [Snapshot], model: String, fingerprint: String) -> FileEvent? {
    guard let directory else { return nil }
    let path = Self.path(of: fingerprint, in: directory)
    do {
      try FileManager.default.createDirectory(
        atPath: directory, withIntermediateDirectories: true)
      let lock = try DirectoryLock(directory)
      let base = known.withLock { $0[fingerprint] ?? [] }
      let theirs = try Self.snapshots(of: fingerprint, in: directory) ?? []
      let merged = SnapshotMerge(base: base, mine: snapshots, theirs: theirs).result
      if merged.isEmpty {
        try FileSystem.remove(path)
      } else {
        let file = SnapshotFile(merged, model: model, fingerprint: fingerprint)
        try OutputFile.write(Array(file.data()), to: path)
      }
      _ = consume lock
      known.withLock { $0[fingerprint] = merged }
      return merged == snapshots
        ? nil : .snapshotsMerged(fingerprint: fingerprint, written: snapshots, merged)
    } catch let error as StorageError {
      return .snapshotsUnwritable(reason: "cannot save snapshots in \(path): \(error.reason)")
    } catch let error as FileError {
      return .snapshotsUnwritable(reason: "cannot save snapshots in \(path): \(error.reason)")
    } catch {
      return .snapshotsUnwritable(
        reason: "cannot save snapshots in \(path): \(FileWorker.reason(error))")
    }
  }

  private static func path(of fingerprint: String, in directory: String) -> String {
    "\(directory)/\(fingerprint).json"
  }

  /// What a file holds; nil where there is none.
  private static func snapshots(
    of fingerprint: String, in directory: String
  ) throws(FileError) -> [Snapshot]? {
    let path = path(of: fingerprint, in: directory)
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    let text: String
    do throws(StorageError) {
      text = try TextFile.read(path, limit: limit, as: "snapshots")
    } catch {
      throw FileError(file: path, error.reason)
    }
    return try SnapshotFile.snapshots(in: Data(text.utf8), file: path)
  }
}
