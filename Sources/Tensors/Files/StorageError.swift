import Glibc

/// Why a file could not be mapped or written.
public struct StorageError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The file's path as it was given.
  public let path: String
  /// What went wrong, in one sentence without the path.
  public let reason: String

  public var description: String { "\(path): \(reason)" }

  public init(path: String, reason: String) {
    self.path = path
    self.reason = reason
  }

  /// What the system call that just failed says.
  static func ofSystem(_ path: String) -> StorageError {
    StorageError(path: path, reason: String(cString: strerror(errno)))
  }

  /// What a call says that wrote nothing: it failed, or had no room.
  static func ofWrite(_ path: String, _ written: Int) -> StorageError {
    written < 0 ? ofSystem(path) : StorageError(path: path, reason: "takes no more bytes")
  }
}

/// Writes all bytes to a file by a call that is given those that are left and how many are written, and says how many it wrote.
///
/// - Throws: ``StorageError`` naming the file at `path` when it fails, or has no room.
func writeAll(
  _ bytes: ArraySlice<UInt8>, to path: String, _ call: (UnsafeRawBufferPointer, Int) -> Int
) throws(StorageError) {
  var start = bytes.startIndex
  while start < bytes.endIndex {
    let done = start - bytes.startIndex
    let written = bytes[start...].withUnsafeBytes { left in retrying { call(left, done) } }
    guard written > 0 else { throw StorageError.ofWrite(path, written) }
    start += written
  }
}

/// The result of a system call, made again as long as a signal interrupts it.
func retrying<Result: SignedInteger>(_ call: () -> Result) -> Result {
  while true {
    let result = call()
    if result != -1 || errno != EINTR { return result }
  }
}
