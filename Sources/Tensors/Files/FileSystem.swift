import CKernels
import Glibc

/// What writers ask of the file system, with errors that name the path.
public enum FileSystem {
  /// What stands at a path; links are not followed.
  public enum Kind: Hashable, Sendable {
    case file, directory, other
  }

  /// What is at `path`; nil for nothing.
  public static func kind(of path: String) throws(StorageError) -> Kind? {
    var status = stat()
    guard retrying({ lstat(path, &status) }) == 0 else {
      if errno == ENOENT { return nil }
      throw StorageError.ofSystem(path)
    }
    switch status.st_mode & S_IFMT {
    case S_IFREG: return .file
    case S_IFDIR: return .directory
    default: return .other
    }
  }

  /// Makes a directory, unless it is there.
  public static func makeDirectory(_ path: String) throws(StorageError) {
    guard retrying({ mkdir(path, 0o755) }) != 0 else { return }
    let (code, failure) = (errno, StorageError.ofSystem(path))
    guard code == EEXIST, try kind(of: path) == .directory else { throw failure }
  }

  /// The names in a directory, sorted.
  public static func names(in directory: String) throws(StorageError) -> [String] {
    guard let stream = opendir(directory) else { throw StorageError.ofSystem(directory) }
    defer { closedir(stream) }
    var names: [String] = []
    errno = 0
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != "." && name != ".." { names.append(name) }
      errno = 0
    }
    // The end of the directory looks like a failure but for this.
    guard errno == 0 else { throw StorageError.ofSystem(directory) }
    return names.sorted()
  }

  /// Renames within a file system in one step; a file, or an empty directory, at `new` is replaced by its like.
  public static func move(_ old: String, to new: String) throws(StorageError) {
    guard retrying({ rename(old, new) }) == 0 else { throw StorageError.ofSystem(new) }
  }

  /// Lets two files or directories of one file system change names in one step.
  ///
  /// - Returns: false where the file system cannot do that.
  public static func exchange(_ first: String, _ second: String) throws(StorageError) -> Bool {
    if retrying({ vk_exchange(first, second) }) == 0 { return true }
    guard [EINVAL, ENOSYS, EOPNOTSUPP].contains(errno) else { throw StorageError.ofSystem(second) }
    return false
  }

  /// The directory that holds a path.
  public static func parent(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// The file that a path leads to, links followed, whether or not it is there.
  static func linkTarget(of path: String) throws(StorageError) -> String {
    var path = path
    // Linux follows as many.
    for _ in 0..<40 {
      var status = stat()
      guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFLNK else { return path }
      var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
      let count = buffer.withUnsafeMutableBytes { bytes in
        bytes.withMemoryRebound(to: CChar.self) { characters in
          characters.baseAddress.map { readlink(path, $0, characters.count) } ?? -1
        }
      }
      guard count >= 0 else { throw StorageError.ofSystem(path) }
      let next = String(decoding: buffer[..<count], as: UTF8.self)
      path = next.hasPrefix("/") ? next : "\(parent(of: path))/\(next)"
    }
    throw StorageError(path: path, reason: "is a link that leads in a circle")
  }

  /// Removes what is at `path`, if anything is, and all in it; links themselves, not what they point to.
  public static func remove(_ path: String) throws(StorageError) {
    switch try kind(of: path) {
    case nil: break
    case .directory:
      for name in try names(in: path) { try remove("\(path)/\(name)") }
      guard retrying({ rmdir(path) }) == 0 else { throw StorageError.ofSystem(path) }
    case .file, .other:
      guard retrying({ unlink(path) }) == 0 else { throw StorageError.ofSystem(path) }
    }
  }

  /// Waits until the names in a directory have reached the disk.
  public static func synchronize(directory: String) throws(StorageError) {
    let descriptor = retrying { open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
    guard descriptor >= 0 else { throw StorageError.ofSystem(directory) }
    defer { close(descriptor) }
    guard retrying({ fsync(descriptor) }) == 0 else { throw StorageError.ofSystem(directory) }
  }

  /// Bytes that may still be written to the file system of `path`.
  public static func freeBytes(at path: String) throws(StorageError) -> Int {
    var status = statvfs()
    guard statvfs(path, &status) == 0 else { throw StorageError.ofSystem(path) }
    let (bytes, isTooMany) = Int(clamping: status.f_bavail).multipliedReportingOverflow(
      by: Int(clamping: status.f_frsize))
    return isTooMany ? .max : bytes
  }

  /// The path without links, `.` and `..`; nil when nothing is there.
  public static func resolved(_ path: String) -> String? {
    guard let real = realpath(path, nil) else { return nil }
    defer { free(real) }
    return String(cString: real)
  }
}
