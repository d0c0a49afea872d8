import Tensors

/// What appears at an export's path.
public enum ExportForm: Hashable, Sendable {
  /// A directory of files.
  case directory
  /// The one file of the layout, under the path's own name.
  case file
}

/// Where an export goes: checked before any work, and once more before it is put there.
struct ExportDestination {
  /// One of these is in every directory that an export makes.
  private static let hallmarks = ["config.json", "plan.yaml", "report.json"]

  let path: String
  let form: ExportForm
  let replaces: Bool

  /// - Throws: ``ExportError`` when nothing can be put at this path.
  init(_ path: String, _ form: ExportForm, replaces: Bool) throws(ExportError) {
    var trimmed = path[...]
    while trimmed.count > 1, trimmed.last == "/" { trimmed.removeLast() }
    let name = trimmed.split(separator: "/", omittingEmptySubsequences: false).last ?? ""
    guard !name.isEmpty, name != ".", name != ".." else {
      throw .file(path: path, tensor: nil, reason: "names nothing that could be made")
    }
    self.path = String(trimmed)
    self.form = form
    self.replaces = replaces
    try check()
  }

  /// What stands beside the path until the export is complete.
  var partial: String { "\(path).partial" }

  /// The directory that holds the path.
  private var parent: String { FileSystem.parent(of: path) }

  /// Checks that the path is free, or may be replaced.
  func check() throws(ExportError) {
    do throws(StorageError) { try checkPlace() } catch { throw ExportError(error) }
  }

  /// The same, with what the file system says.
  func checkPlace() throws(StorageError) {
    // The last step follows links: the directory may be one.
    guard (try? FileSystem.kind(of: parent + "/.")) == .directory else { throw missingParent }
    switch (try FileSystem.kind(of: path), form) {
    case (nil, _): return
    case (.directory, .directory):
      let names = try FileSystem.names(in: path)
      if names.isEmpty { return }
      guard replaces else { throw taken }
      try checkIsExport(names)
    case (.file, .file):
      guard replaces else { throw taken }
    case (.file, .directory):
      throw StorageError(path: path, reason: "is a file; name a directory that is to be made")
    case (.directory, .file):
      throw StorageError(path: path, reason: "is a directory; name the file that is to be made")
    case (.other, _):
      throw StorageError(path: path, reason: "is neither a file nor a directory of its own")
    }
  }

  /// Where a directory is while another takes its place, on file systems that cannot do that in one step.
  private var aside: String { "\(partial)/replaced" }

  /// Puts what was written in its place; the moment in which the export exists.
  ///
  /// A directory that is replaced changes places with the new one; what is left of it is removed with the rest of
  /// ``partial``. Where that takes two steps, ``recover()`` mends an interruption between them.
  func receive(_ written: String) throws(StorageError) {
    let old = form == .directory ? try FileSystem.kind(of: path) : nil
    let isDirectory = old == .directory
    let isExchanged = isDirectory ? try FileSystem.exchange(written, path) : false
    if !isExchanged {
      if isDirectory {
        try FileSystem.remove(aside)
        try FileSystem.move(path, to: aside)
      }
      do throws(StorageError) {
        try FileSystem.move(written, to: path)
      } catch {
        if isDirectory { try FileSystem.move(aside, to: path) }
        throw error
      }
    }
    try FileSystem.synchronize(directory: parent)
  }

  /// Puts a directory back that was moved aside when a writer was killed.
  ///
  /// - Returns: whether there was one.
  func recover() throws(StorageError) -> Bool {
    guard form == .directory, try FileSystem.kind(of: path) == nil,
      try FileSystem.kind(of: aside) == .directory
    else { return false }
    try FileSystem.move(aside, to: path)
    try FileSystem.synchronize(directory: parent)
    return true
  }

  /// A directory goes only if it is what this writes, and nothing that somebody may miss.
  private func checkIsExport(_ names: [String]) throws(StorageError) {
    var stranger: String?
    for name in names where stranger == nil {
      if try FileSystem.kind(of: "\(path)/\(name)") != .file { stranger = name }
    }
    guard stranger == nil, Self.hallmarks.contains(where: names.contains) else {
      throw StorageError(
        path: path,
        reason: "holds \(stranger ?? "no config.json"), so it is no export that could be replaced; "
          + "remove it yourself, or name another directory")
    }
  }

  private var taken: StorageError {
    StorageError(path: path, reason: "exists already; name another path, or replace it (--replace)")
  }

  private var missingParent: StorageError {
    StorageError(path: path, reason: "\(parent) is no directory; make it first")
  }
}

extension ExportError {
  /// A failure of the file system.
  init(_ error: StorageError, tensor: String? = nil) {
    self = .file(path: error.path, tensor: tensor, reason: error.reason)
  }
}
