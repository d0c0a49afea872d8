import Glibc

/// What the file system says of a file, by which a change of it is seen.
public struct FileStamp: Hashable, Sendable {
  let device: UInt
  let number: UInt
  private let mode: UInt32
  private let seconds: Int
  private let nanoseconds: Int
  /// Of the whole file.
  public let byteCount: Int

  /// The stamp of what is at a path, links followed.
  ///
  /// - Throws: ``StorageError`` when nothing is there, or nothing that can be asked.
  public init(of path: String) throws(StorageError) {
    var status = stat()
    guard retrying({ stat(path, &status) }) == 0 else { throw StorageError.ofSystem(path) }
    self.init(status)
  }

  /// The stamp of an open file.
  init(of descriptor: Int32, path: String) throws(StorageError) {
    var status = stat()
    guard retrying({ fstat(descriptor, &status) }) == 0 else { throw StorageError.ofSystem(path) }
    self.init(status)
  }

  private init(_ status: stat) {
    device = UInt(status.st_dev)
    number = UInt(status.st_ino)
    mode = status.st_mode
    seconds = status.st_mtim.tv_sec
    nanoseconds = status.st_mtim.tv_nsec
    byteCount = Int(status.st_size)
  }

  /// Whether it is a file, and not a directory or a device.
  public var isRegular: Bool { mode & S_IFMT == S_IFREG }

  /// Who may read and write it.
  var permissions: UInt32 { mode & 0o7777 }

  /// Whether both are of one file, changed or not.
  func isSameFile(as other: FileStamp) -> Bool {
    device == other.device && number == other.number
  }
}
