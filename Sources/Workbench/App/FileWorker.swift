import Compression
import Dispatch
import Foundation
import Tensors

/// Reads and writes small files away from the screen's thread, one after the other.
struct FileWorker: Sendable {
  private let queue = DispatchQueue(label: "vise.files")
  private let plans = PlanStore()
  private let report: @Sendable (FileEvent) -> Void

  /// - Parameter report: Told what came of it, on a thread of its own.
  init(report: @escaping @Sendable (FileEvent) -> Void) { self.report = report }

  /// Does what an effect on files asks for, some time soon, and reports what came of it.
  func carryOut(_ effect: Effect) {
    let (report, plans) = (report, plans)
    switch effect {
    case .readPlan(let path): queue.async { report(plans.read(path)) }
    case .readPrompt(let path, let text):
      queue.async { report(PromptFile.read(path, orElse: text)) }
    case .readPrompts(let path): queue.async { report(PromptFile.readList(path)) }
    case .writePlan(let plan, let path, let overwrites):
      queue.async { report(plans.write(plan, to: path, overwrites: overwrites)) }
    case .writeText(let text, let path): queue.async { report(Self.write(text, to: path)) }
    case .list(let directory): queue.async { report(Self.list(directory)) }
    default: break
    }
  }

  /// Waits until everything asked for is done.
  func finish() { queue.sync {} }

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

  private static func write(_ text: String, to path: String) -> FileEvent {
    let target = expanded(path)
    guard !FileManager.default.fileExists(atPath: target) else {
      return .textUnwritable(path: path, reason: "there is a file \(path), which stays as it is")
    }
    do throws(StorageError) {
      try OutputFile.write(Array(text.utf8), to: target)
      return .textWritten(path: path)
    } catch {
      return .textUnwritable(path: path, reason: "cannot write \(path): \(error.reason)")
    }
  }

  /// The path with `~/` written out.
  static func expanded(_ path: String) -> String {
    guard path.hasPrefix("~/") else { return path }
    return FileManager.default.homeDirectoryForCurrentUser.path + path.dropFirst()
  }

  /// What a failure of the file system is, in a clause.
  static func reason(_ error: any Error) -> String {
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
