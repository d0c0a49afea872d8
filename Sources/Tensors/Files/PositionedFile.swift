import CKernels
import Glibc

/// A file of a known size that is written piece by piece, at any offset.
///
/// What is never written reads as zeros.
public final class PositionedFile: Sendable {
  private let path: String
  private let descriptor: Int32
  /// Bytes of the whole file.
  public let byteCount: Int

  /// Opens the file, which is made if it is not there, and cut or grown to its size.
  ///
  /// - Throws: ``StorageError`` when nothing can be written there, or files may not be so large.
  public init(path: String, byteCount: Int) throws(StorageError) {
    let descriptor = retrying { open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o644) }
    guard descriptor >= 0 else { throw StorageError.ofSystem(path) }
    guard retrying({ ftruncate(descriptor, byteCount) }) == 0 else {
      let failure = StorageError.ofSystem(path)
      close(descriptor)
      throw failure
    }
    self.path = path
    self.descriptor = descriptor
    self.byteCount = byteCount
  }

  deinit { close(descriptor) }

  /// Checks that the file is still under its name, with its size: what is written to another one would be lost.
  ///
  /// - Throws: ``StorageError`` when somebody has removed, replaced, cut or grown it.
  public func check() throws(StorageError) {
    let open = try FileStamp(of: descriptor, path: path)
    guard open.byteCount == byteCount, let here = try? FileStamp(of: path),
      here.isSameFile(as: open)
    else {
      throw StorageError(path: path, reason: "was changed by somebody else while it was written")
    }
  }

  /// Writes bytes that begin at `offset`.
  ///
  /// - Precondition: they lie within the file.
  /// - Throws: ``StorageError``, for example when the disk is full.
  public func write(_ bytes: ArraySlice<UInt8>, at offset: Int) throws(StorageError) {
    precondition(offset >= 0 && offset <= byteCount - bytes.count, "bytes lie within the file")
    try writeAll(bytes, to: path) { bytes, done in
      pwrite(descriptor, bytes.baseAddress, bytes.count, offset + done)
    }
  }

  /// The hash of the bytes in a range, as the file has them.
  ///
  /// - Precondition: they lie within the file.
  /// - Throws: ``StorageError`` when they cannot be read.
  public func hash(of range: Range<Int>) throws(StorageError) -> ContentHash {
    precondition(range.lowerBound >= 0 && range.upperBound <= byteCount, "a part of the file")
    var hash = ContentHash()
    var buffer = [UInt8](repeating: 0, count: min(range.count, 1 << 20))
    var start = range.lowerBound
    while start < range.upperBound {
      let wanted = min(buffer.count, range.upperBound - start)
      let count = buffer.withUnsafeMutableBytes { bytes in
        retrying { pread(descriptor, bytes.baseAddress, wanted, start) }
      }
      guard count > 0 else {
        throw count < 0
          ? StorageError.ofSystem(path) : StorageError(path: path, reason: "ends too early")
      }
      hash.add(buffer[..<count])
      start += count
    }
    return hash
  }

  /// Tells the system to begin writing a range to the disk; nothing is promised of it before ``synchronize()``.
  public func flush(_ range: Range<Int>) {
    vk_begin_writeback(descriptor, range.lowerBound, range.count)
  }

  /// Waits until everything that was ever written to the file has reached the disk.
  public func synchronize() throws(StorageError) {
    guard retrying({ fsync(descriptor) }) == 0 else { throw StorageError.ofSystem(path) }
  }
}
