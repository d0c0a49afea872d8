import Glibc

/// A file that appears under its name only once it is complete.
///
/// Bytes go to a temporary file beside it, `NAME.vise.tmp`, which is removed unless it is committed. What a killed writer left
/// there is taken over by the next; two writers at a time are kept apart. A link stays a link, and the file that it leads
/// to is written; a file that is replaced hands its permissions on.
public struct OutputFile: ~Copyable {
  private let path: String
  /// The path with links followed.
  private let target: String
  private let temporary: String
  private let descriptor: Int32

  /// Begins a file that will replace the one at `path`.
  ///
  /// - Throws: ``StorageError`` when nothing can be written there, or another program writes it just now.
  public init(path: String) throws(StorageError) {
    let target = try FileSystem.linkTarget(of: path)
    let temporary = "\(target).vise.tmp"
    let old = try? FileStamp(of: target)
    if let old, !old.isRegular { throw StorageError(path: path, reason: "is not a regular file") }
    let descriptor = try LockedFile.open(
      temporary, O_WRONLY, named: path, busy: "is just being written by another program")
    guard retrying({ ftruncate(descriptor, 0) }) == 0,
      old.map({ fchmod(descriptor, $0.permissions) == 0 }) ?? true
    else {
      let failure = StorageError.ofSystem(path)
      unlink(temporary)
      close(descriptor)
      throw failure
    }
    self.path = path
    self.target = target
    self.temporary = temporary
    self.descriptor = descriptor
  }

  deinit {
    // The name is this file's only until it is committed.
    if LockedFile.isAt(temporary, descriptor) { unlink(temporary) }
    close(descriptor)
  }

  /// Appends bytes.
  public func write(_ bytes: [UInt8]) throws(StorageError) {
    let descriptor = descriptor
    try writeAll(bytes[...], to: path) { bytes, _ in
      Glibc.write(descriptor, bytes.baseAddress, bytes.count)
    }
  }

  /// Puts the complete file in its place.
  public consuming func commit() throws(StorageError) {
    guard retrying({ fsync(descriptor) }) == 0, retrying({ rename(temporary, target) }) == 0 else {
      throw StorageError.ofSystem(path)
    }
    try FileSystem.synchronize(directory: FileSystem.parent(of: target))
  }

  /// Writes a whole file at once.
  public static func write(_ bytes: [UInt8], to path: String) throws(StorageError) {
    let file = try OutputFile(path: path)
    try file.write(bytes)
    try file.commit()
  }
}
