import Glibc

/// Files and directories that one process at a time holds; the system lets go of them with the process, however it ends.
enum LockedFile {
  /// Opens a file, which is made if it is not there, and locks it.
  ///
  /// - Parameters:
  ///   - path: The file; links are not followed.
  ///   - flags: How it is opened.
  ///   - name: What errors name.
  ///   - busy: What errors say if somebody else holds it.
  /// - Returns: The descriptor, which the caller closes.
  /// - Throws: ``StorageError``.
  static func open(
    _ path: String, _ flags: Int32, named name: String, busy: String
  ) throws(StorageError) -> Int32 {
    while true {
      let descriptor = retrying {
        Glibc.open(path, flags | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o644)
      }
      guard descriptor >= 0 else { throw StorageError.ofSystem(name) }
      guard retrying({ flock(descriptor, LOCK_EX | LOCK_NB) }) == 0 else {
        let failure =
          errno == EWOULDBLOCK
          ? StorageError(path: name, reason: busy) : StorageError.ofSystem(name)
        close(descriptor)
        throw failure
      }
      // Whoever held it may have removed or renamed it meanwhile.
      if isAt(path, descriptor) { return descriptor }
      close(descriptor)
    }
  }

  /// Whether an open file is the one at a path.
  static func isAt(_ path: String, _ descriptor: Int32) -> Bool {
    guard let here = try? FileStamp(of: path),
      let open = try? FileStamp(of: descriptor, path: path)
    else { return false }
    return here.isSameFile(as: open)
  }
}

/// A directory that one process at a time holds, so that what is read of it, changed and written belongs together.
public struct DirectoryLock: ~Copyable {
  private let descriptor: Int32

  /// Waits until nobody else holds the directory.
  ///
  /// - Throws: ``StorageError`` when it cannot be opened or locked.
  public init(_ path: String) throws(StorageError) {
    descriptor = retrying { open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
    guard descriptor >= 0 else { throw StorageError.ofSystem(path) }
    guard retrying({ flock(descriptor, LOCK_EX) }) == 0 else {
      let failure = StorageError.ofSystem(path)
      close(descriptor)
      throw failure
    }
  }

  deinit { close(descriptor) }
}
