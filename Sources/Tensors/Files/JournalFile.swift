import Glibc

/// A text file of lines, each on the disk before the next, that one process at a time may hold.
///
/// A line that a crash cut off is no line.
public final class JournalFile: Sendable {
  private let path: String
  private let descriptor: Int32
  /// The complete lines that it held when it was opened.
  public let lines: [String]

  /// Opens the file, which is made if it is not there.
  ///
  /// - Throws: ``StorageError`` when it cannot be written, or somebody else holds it.
  public init(path: String) throws(StorageError) {
    let descriptor = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o644)
    guard descriptor >= 0 else { throw StorageError.ofSystem(path) }
    do throws(StorageError) {
      guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
        throw errno == EWOULDBLOCK
          ? StorageError(path: path, reason: "is held by another export that is still under way")
          : StorageError.ofSystem(path)
      }
      let storage = try ByteStorage(mapping: path)
      let bytes = storage.bytes(in: 0..<storage.count)
      let end = (bytes.lastIndex(of: UInt8(ascii: "\n")) ?? -1) + 1
      lines = bytes[..<end].split(separator: UInt8(ascii: "\n")).map {
        String(decoding: $0, as: UTF8.self)
      }
      // The rest of a line that was cut off must not become the next line's beginning.
      guard ftruncate(descriptor, end) == 0 else { throw StorageError.ofSystem(path) }
    } catch {
      close(descriptor)
      throw error
    }
    self.path = path
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }

  /// Appends a line; it is on the disk when this returns.
  ///
  /// - Precondition: the line holds no line break.
  public func append(_ line: String) throws(StorageError) {
    precondition(!line.utf8.contains(UInt8(ascii: "\n")), "a line is one line")
    let bytes = Array("\(line)\n".utf8)
    // One call, so that a full disk leaves at most one line that is cut off.
    let written = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
    guard written == bytes.count, fdatasync(descriptor) == 0 else {
      throw StorageError.ofSystem(path)
    }
  }

  /// Drops all lines.
  public func clear() throws(StorageError) {
    guard ftruncate(descriptor, 0) == 0 else { throw StorageError.ofSystem(path) }
  }
}
