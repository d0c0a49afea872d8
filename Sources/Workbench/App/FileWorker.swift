import Compression
import Dispatch
import Foundation
import Tensors

/// Reads and writes small files away from the screen's thread, one after the other.
struct FileWorker: Sendable {
  private let queue = DispatchQueue(label: "vise.files")
  /// Where what outlives a session is kept; nil keeps nothing.
  private let stateDirectory: String?
  private let report: @Sendable (FileEvent) -> Void

  init(stateDirectory: String?, report: @escaping @Sendable (FileEvent) -> Void) {
    self.stateDirectory = stateDirectory
    self.report = report
  }

  /// Does what an effect on files asks for, some time soon, and reports what came of it.
  func carryOut(_ effect: Effect) {
    let (report, directory) = (report, stateDirectory.map { "\($0)/snapshots" })
    switch effect {
    case .readPlan(let path): queue.async { report(Self.readPlan(path)) }
    case .writePlan(let plan, let path, let overwrites):
      queue.async { report(Self.write(plan, to: path, overwrites: overwrites)) }
    case .readSnapshots(let fingerprint):
      queue.async { report(Self.readSnapshots(of: fingerprint, in: directory)) }
    case .writeSnapshots(let snapshots, let model, let fingerprint):
      queue.async {
        let file = SnapshotFile(snapshots, model: model, fingerprint: fingerprint)
        let contents = snapshots.isEmpty ? nil : file
        if let directory,
          let flaw = Self.write(contents, of: fingerprint, in: directory)
        {
          report(flaw)
        }
      }
    case .list(let directory): queue.async { report(Self.list(directory)) }
    default: break
    }
  }

  /// Waits until everything asked for is done.
  func finish() { queue.sync {} }

  static func readPlan(_ path: String) -> FileEvent {
    do {
      let yaml = try TextFile.read(expanded(path), limit: Plan.sizeLimit, as: "a plan")
      return .planRead(path: path, try Plan(yaml: yaml))
    } catch var error as PlanError {
      error.file = path
      return .planUnreadable(path: path, reason: "\(error)")
    } catch let error as StorageError {
      return .planUnreadable(path: path, reason: "cannot read \(path): \(error.reason)")
    } catch {
      return .planUnreadable(path: path, reason: "cannot read \(path): \(reason(error))")
    }
  }

  /// Writes a plan so that the file is at any time either as before or complete.
  static func write(_ plan: Plan, to path: String, overwrites: Bool) -> FileEvent {
    let target = expanded(path)
    if !overwrites, FileManager.default.fileExists(atPath: target) {
      return .planExists(path: path)
    }
    do {
      try write(Data(plan.yaml().utf8), to: target)
      return .planWritten(path: path, plan)
    } catch {
      return .planUnwritable(path: path, reason: "cannot write \(path): \(reason(error))")
    }
  }

  /// Writes a file so that it is at any time either as before or complete.
  private static func write(_ data: Data, to target: String) throws {
    let temporary = "\(target).\(ProcessInfo.processInfo.processIdentifier).tmp"
    guard FileManager.default.createFile(atPath: temporary, contents: nil),
      let file = FileHandle(forWritingAtPath: temporary)
    else { throw CocoaError(.fileWriteInvalidFileName) }
    do {
      try file.write(contentsOf: data)
      try file.synchronize()
      try file.close()
      guard unsafe rename(temporary, target) == 0 else { throw CocoaError(.fileWriteUnknown) }
    } catch {
      try? FileManager.default.removeItem(atPath: temporary)
      throw error
    }
  }

  static func list(_ directory: String) -> FileEvent {
    let path = directory.isEmpty ? "." : expanded(directory)
    let names = Surroundings.list(path).sorted().map { name in
      var isDirectory: ObjCBool = false
      _ = unsafe FileManager.default.fileExists(
        atPath: "\(path)/\(name)", isDirectory: &isDirectory)
      return isDirectory.boolValue ? name + "/" : name
    }
    return .listed(directory: directory, names: names)
  }

  static func readSnapshots(of fingerprint: String, in directory: String?) -> FileEvent {
    guard let path = directory.map({ "\($0)/\(fingerprint).json" }),
      FileManager.default.fileExists(atPath: path)
    else { return .snapshotsRead(fingerprint: fingerprint, []) }
    do {
      let attributes = try FileManager.default.attributesOfItem(atPath: path)
      guard (attributes[.size] as? Int ?? 0) <= snapshotLimit else {
        throw FileError(file: path, "is too large for snapshots")
      }
      let data = try Data(contentsOf: URL(filePath: path))
      return .snapshotsRead(
        fingerprint: fingerprint, try SnapshotFile.snapshots(in: data, file: path))
    } catch let error as FileError {
      return .snapshotsUnreadable(fingerprint: fingerprint, reason: error.description)
    } catch {
      return .snapshotsUnreadable(fingerprint: fingerprint, reason: "\(path): \(reason(error))")
    }
  }

  /// Writes a model's snapshots, or removes the file where there are none; returns what went wrong.
  static func write(
    _ file: SnapshotFile?, of fingerprint: String, in directory: String
  ) -> FileEvent? {
    let path = "\(directory)/\(fingerprint).json"
    do {
      guard let file else {
        if FileManager.default.fileExists(atPath: path) {
          try FileManager.default.removeItem(atPath: path)
        }
        return nil
      }
      try FileManager.default.createDirectory(
        atPath: directory, withIntermediateDirectories: true)
      try write(file.data(), to: path)
      return nil
    } catch {
      return .snapshotsUnwritable(reason: "cannot save snapshots in \(path): \(reason(error))")
    }
  }

  /// The largest file of snapshots that is read, in bytes.
  static let snapshotLimit = 64 << 20

  /// The path with `~/` written out.
  private static func expanded(_ path: String) -> String {
    guard path.hasPrefix("~/") else { return path }
    return FileManager.default.homeDirectoryForCurrentUser.path + path.dropFirst()
  }

  private static func reason(_ error: any Error) -> String {
    switch (error as? CocoaError)?.code {
    case .fileNoSuchFile, .fileReadNoSuchFile: "there is no such file"
    case .fileReadNoPermission, .fileWriteNoPermission: "permission denied"
    case .fileReadInapplicableStringEncoding: "it is not UTF-8 text"
    case .fileWriteOutOfSpace: "the disk is full"
    case .fileWriteInvalidFileName: "its directory is missing or not writable"
    default: error.localizedDescription
    }
  }
}
