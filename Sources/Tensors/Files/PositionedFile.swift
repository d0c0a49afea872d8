import Glibc

/// A file of a known size that is written piece by piece, at any offset.
///
/// What is never written reads as zeros.
public struct PositionedFile: ~Copyable {
  private let path: String
  private let descriptor: Int32
  /// Bytes of the whole file.
  public let byteCount: Int

  /// Opens the file, which is made if it is not there, and cut or grown to its size.
  ///
  /// - Throws: ``StorageError`` when nothing can be written there, or files may not be so large.
  public init(path: String, byteCount: Int) throws(StorageError) {
    self.path = path
    self.byteCount = byteCount
    descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o644)
    guard descriptor >= 0 else { throw StorageError.ofSystem(path) }
    guard ftruncate(descriptor, byteCount) == 0 else { throw StorageError.ofSystem(path) }
  }

  deinit { close(descriptor) }

  /// Writes bytes that begin at `offset`.
  ///
  /// - Precondition: they lie within the file.
  /// - Throws: ``StorageError``, for example when the disk is full.
  public func write(_ bytes: ArraySlice<UInt8>, at offset: Int) throws(StorageError) {
    precondition(offset >= 0 && offset <= byteCount - bytes.count, "bytes lie within the file")
    var start = bytes.startIndex
    while start < bytes.endIndex {
      let place = offset + start - bytes.startIndex
      let written = bytes[start...].withUnsafeBytes {
        pwrite(descriptor, $0.baseAddress, $0.count, place)
      }
      guard written >= 0 || errno == EINTR else { throw StorageError.ofSystem(path) }
      start += max(written, 0)
    }
  }

  /// Waits until everything that was ever written to the file has reached the disk.
  public func synchronize() throws(StorageError) {
    guard fsync(descriptor) == 0 else { throw StorageError.ofSystem(path) }
  }
}
