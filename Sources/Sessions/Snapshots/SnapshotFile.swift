import Compression
import Foundation
import Tensors

/// The snapshots of one model as versions of Vise without a database kept them: a file of JSON.
struct SnapshotFile: Decodable {
  private static let version = 1
  /// The largest file of snapshots that is read, in bytes.
  private static let limit = 64 << 20

  /// The format's version.
  private let vise: Int
  private let snapshots: [SnapshotContents]

  /// What a file holds, each snapshot with a name of its own, and a hash of its bytes; nil where there is no file.
  ///
  /// - Throws: ``SessionError`` when it is damaged, or of a later version.
  static func read(_ path: String) throws(SessionError) -> (snapshots: [Snapshot], hash: UInt64)? {
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    let text: String
    do throws(StorageError) {
      text = try TextFile.read(path, limit: limit, as: "snapshots")
    } catch {
      throw SessionError(error, path: path)
    }
    return (try snapshots(in: text, of: path), ContentHash(of: text.utf8).value)
  }

  /// What a file's text holds.
  static func snapshots(in text: String, of path: String) throws(SessionError) -> [Snapshot] {
    do {
      let file = try JSONDecoder().decode(SnapshotFile.self, from: Data(text.utf8))
      guard file.vise == version else {
        throw SessionError(
          path: path, reason: "is of version \(file.vise), and \(version) is what is read")
      }
      var list: [Snapshot] = []
      for contents in file.snapshots { list.add(try contents.snapshot()) }
      return list
    } catch let error as PlanError {
      throw SessionError(path: path, reason: "holds a plan that cannot be read: \(error.reason)")
    } catch is DecodingError {
      throw SessionError(path: path, reason: "is damaged")
    } catch {
      throw SessionError(error, path: path)
    }
  }
}
