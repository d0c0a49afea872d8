import Compression
import Dispatch
import Foundation

/// Reads and writes small files away from the screen's thread, one after the other.
struct FileWorker: Sendable {
  private let queue = DispatchQueue(label: "vise.files")
  private let report: @Sendable (FileEvent) -> Void

  init(report: @escaping @Sendable (FileEvent) -> Void) {
    self.report = report
  }

  /// Does what an effect on files asks for, some time soon, and reports what came of it.
  func carryOut(_ effect: Effect) {
    let report = report
    switch effect {
    case .readPlan(let path): queue.async { report(Self.readPlan(path)) }
    case .writePlan(let plan, let path, let overwrites):
      queue.async { report(Self.write(plan, to: path, overwrites: overwrites)) }
    case .list(let directory): queue.async { report(Self.list(directory)) }
    default: break
    }
  }

  /// Waits until everything asked for is done.
  func finish() { queue.sync {} }

  /// The largest plan file that is read, in bytes.
  static let planLimit = 16 << 20

  static func readPlan(_ path: String) -> FileEvent {
    do {
      let attributes = try FileManager.default.attributesOfItem(atPath: expanded(path))
      guard (attributes[.size] as? Int ?? 0) <= planLimit else {
        return .planUnreadable(path: path, reason: "\(path) is too large for a plan")
      }
      let yaml = try String(contentsOfFile: expanded(path), encoding: .utf8)
      return .planRead(path: path, try Plan(yaml: yaml))
    } catch var error as PlanError {
      error.file = path
      return .planUnreadable(path: path, reason: "\(error)")
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
    let temporary = "\(target).\(ProcessInfo.processInfo.processIdentifier).tmp"
    do {
      guard FileManager.default.createFile(atPath: temporary, contents: nil),
        let file = FileHandle(forWritingAtPath: temporary)
      else {
        return .planUnwritable(
          path: path, reason: "cannot write \(path): its directory is missing or not writable")
      }
      try file.write(contentsOf: Data(plan.yaml().utf8))
      try file.synchronize()
      try file.close()
      guard unsafe rename(temporary, target) == 0 else { throw CocoaError(.fileWriteUnknown) }
      return .planWritten(path: path, plan)
    } catch {
      try? FileManager.default.removeItem(atPath: temporary)
      return .planUnwritable(path: path, reason: "cannot write \(path): \(reason(error))")
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
    default: error.localizedDescription
    }
  }
}
