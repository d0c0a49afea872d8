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
  ///   - pauses: Pauses of 10 ms in which somebody else may let go of it.
  /// - Returns: The descriptor, which the caller closes.
  /// - Throws: ``StorageError``.
  static func open(
    _ path: String, _ flags: Int32, named name: String, busy: String, waiting pauses: Int = patience
  ) throws(StorageError) -> Int32 {
    while true {
      let descriptor = retrying {
        Glibc.open(path, flags | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o644)
      }
      guard descriptor >= 0 else { throw StorageError.ofSystem(name) }
      do throws(StorageError) {
        try lock(descriptor, for: pauses, named: name, busy: busy)
      } catch {
        close(descriptor)
        throw error
      }
      // Whoever held it may have removed or renamed it meanwhile.
      if isAt(path, descriptor) { return descriptor }
      close(descriptor)
    }
  }

  /// Pauses of 10 ms that a file is waited for: its last holder may be just ending, or have a child that has not yet let go of
  /// what it inherited.
  private static let patience = 30

  /// Locks an open file or directory, which somebody else may let go of in so many pauses of 10 ms.
  fileprivate static func lock(
    _ descriptor: Int32, for pauses: Int, named name: String, busy: String
  ) throws(StorageError) {
    for pause in 0...pauses {
      if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return }
      guard [EWOULDBLOCK, EINTR].contains(errno) else { throw StorageError.ofSystem(name) }
      if pause < pauses { usleep(10_000) }
    }
    throw StorageError(path: name, reason: busy)
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

  /// Pauses of 10 ms in which somebody else may let go of it.
  private static let patience = 500

  /// Waits until nobody else holds the directory, for some seconds at most.
  ///
  /// - Throws: ``StorageError`` when it cannot be opened or locked.
  public init(_ path: String) throws(StorageError) {
    let descriptor = retrying { open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
    guard descriptor >= 0 else { throw StorageError.ofSystem(path) }
    do throws(StorageError) {
      try LockedFile.lock(
        descriptor, for: Self.patience, named: path,
        busy: "is held by another program that does not let go of it")
    } catch {
      close(descriptor)
      throw error
    }
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }
}

/// A file that says by its lock that the program which holds it still runs; it is gone with the last who held it.
public final class LifeSign: Sendable {
  private let path: String
  private let descriptor: Int32

  /// Takes hold of the file at `path`, which is made if it is not there.
  ///
  /// - Throws: ``StorageError`` when another program holds it, or it cannot be made.
  public init(_ path: String) throws(StorageError) {
    self.path = path
    descriptor = try LockedFile.open(
      path, O_RDWR, named: path, busy: "is held by another program", waiting: 0)
  }

  deinit {
    if LockedFile.isAt(path, descriptor) { unlink(path) }
    close(descriptor)
  }
}
