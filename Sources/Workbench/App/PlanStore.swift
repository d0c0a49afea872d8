import Compression
import Foundation
import Synchronization
import Tensors

/// Reads and writes plans, and knows what was in their files when that was done last.
final class PlanStore: Sendable {
  /// Hashes of what was read or written, by path.
  private let known = Mutex<[String: UInt64]>([:])

  func read(_ path: String) -> FileEvent {
    let file = FileWorker.expanded(path)
    do {
      let yaml = try TextFile.read(file, limit: Plan.sizeLimit, as: "a plan")
      let plan = try Plan(yaml: yaml)
      note(yaml.utf8, at: file)
      return .planRead(path: path, plan)
    } catch var error as PlanError {
      error.file = path
      return .planUnreadable(path: path, reason: "\(error)")
    } catch let error as StorageError {
      return .planUnreadable(path: path, reason: "cannot read \(path): \(error.reason)")
    } catch {
      return .planUnreadable(
        path: path, reason: "cannot read \(path): \(FileWorker.reason(error))")
    }
  }

  /// Writes a plan so that the file is at any time either as before or complete.
  func write(_ plan: Plan, to path: String, overwrites: Overwriting) -> FileEvent {
    let target = FileWorker.expanded(path)
    do throws(StorageError) {
      let bytes = Array(plan.yaml().utf8)
      let file = try OutputFile(path: target)
      if overwrites != .anything, FileManager.default.fileExists(atPath: target) {
        guard case .whatIsKnown(let saved) = overwrites else { return .planExists(path: path) }
        guard isKnown(target, as: saved) else { return .planChanged(path: path) }
      }
      try file.write(bytes)
      try file.commit()
      note(bytes, at: target)
      return .planWritten(path: path, plan)
    } catch {
      return .planUnwritable(path: path, reason: "cannot write \(path): \(error.reason)")
    }
  }

  /// Whether a file holds what was read of it or written to it here, or the plan that an earlier session left in it.
  private func isKnown(_ path: String, as saved: Plan) -> Bool {
    // A file that cannot be read, or is none of a plan's size, is not the one that was written here.
    guard let found = try? TextFile.read(path, limit: Plan.sizeLimit, as: "a plan") else {
      return false
    }
    if let hash = known.withLock({ $0[path] }) { return hash == ContentHash(of: found.utf8).value }
    guard var plan = try? Plan(yaml: found) else { return false }
    plan.target = nil
    return plan == saved
  }

  private func note(_ bytes: some Collection<UInt8>, at path: String) {
    known.withLock { $0[path] = ContentHash(of: bytes).value }
  }
}
