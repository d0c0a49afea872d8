import Glibc

/// A text file of lines that one process at a time may hold.
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
    let descriptor = try LockedFile.open(
      path, O_RDWR | O_APPEND, named: path,
      busy: "is held by another export that is still under way")
    do throws(StorageError) {
      let storage = try ByteStorage(mapping: path)
      let bytes = storage.bytes(in: 0..<storage.count)
      if let damage = storage.damage { throw damage }
      let end = (bytes.lastIndex(of: UInt8(ascii: "\n")) ?? -1) + 1
      lines = bytes[..<end].split(separator: UInt8(ascii: "\n")).map {
        String(decoding: $0, as: UTF8.self)
      }
      // The rest of a line that was cut off must not become the next line's beginning.
      guard retrying({ ftruncate(descriptor, end) }) == 0 else { throw StorageError.ofSystem(path) }
    } catch {
      close(descriptor)
      throw error
    }
    self.path = path
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }

  /// Appends a line; if it `synchronizes`, it and all before it are on the disk when this returns.
  ///
  /// - Precondition: the line holds no line break.
  public func append(_ line: String, synchronizes: Bool = true) throws(StorageError) {
    precondition(!line.utf8.contains(UInt8(ascii: "\n")), "a line is one line")
    try writeAll(Array("\(line)\n".utf8)[...], to: path) { bytes, _ in
      write(descriptor, bytes.baseAddress, bytes.count)
    }
    guard !synchronizes || retrying({ fdatasync(descriptor) }) == 0 else {
      throw StorageError.ofSystem(path)
    }
  }

  /// Drops all lines.
  public func clear() throws(StorageError) {
    guard retrying({ ftruncate(descriptor, 0) }) == 0 else { throw StorageError.ofSystem(path) }
  }
}
