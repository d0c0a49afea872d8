import Glibc

/// A file that appears under its name only once it is complete.
///
/// Bytes go to a temporary file beside it, which is removed unless it is committed.
public struct OutputFile: ~Copyable {
  private let path: String
  private let temporary: String
  private let descriptor: Int32

  /// Begins a file that will replace the one at `path`.
  ///
  /// - Throws: ``StorageError`` when nothing can be written there.
  public init(path: String) throws(StorageError) {
    self.path = path
    temporary = "\(path).\(getpid()).tmp"
    descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw StorageError.ofSystem(path) }
  }

  deinit {
    close(descriptor)
    unlink(temporary)
  }

  /// Appends bytes.
  public func write(_ bytes: [UInt8]) throws(StorageError) {
    var start = 0
    while start < bytes.count {
      let written = bytes[start...].withUnsafeBytes {
        Glibc.write(descriptor, $0.baseAddress, $0.count)
      }
      guard written >= 0 || errno == EINTR else { throw StorageError.ofSystem(path) }
      start += max(written, 0)
    }
  }

  /// Puts the complete file in its place.
  public consuming func commit() throws(StorageError) {
    guard fsync(descriptor) == 0, rename(temporary, path) == 0 else {
      throw StorageError.ofSystem(path)
    }
  }
}
