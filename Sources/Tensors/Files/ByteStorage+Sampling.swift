import Glibc

extension ByteStorage {
  /// Calls `body` with a function that reads a part and hands its bytes on.
  ///
  /// Of a mapped file the parts are copied from the file itself while that can be opened, so that no page around them is
  /// read or mapped, of which there are sixteen for each that is touched.
  public func sampling<R>(
    _ body: ((_ part: Range<Int>, _ take: ([UInt8]) -> Void) -> Void) -> R
  ) -> R {
    let descriptor = openedAgain ?? -1
    defer { if descriptor >= 0 { close(descriptor) } }
    return body { part, take in
      precondition(part.lowerBound >= 0 && part.upperBound <= count, "a part of the storage")
      var isRead = false
      let copy = [UInt8](unsafeUninitializedCapacity: part.count) { buffer, initialized in
        let found = retrying { pread(descriptor, buffer.baseAddress, part.count, part.lowerBound) }
        isRead = found == part.count
        initialized = isRead ? found : 0
      }
      take(isRead ? copy : bytes(in: part))
    }
  }

  /// A descriptor of the mapped file; nil if its name is another's now.
  private var openedAgain: Int32? {
    guard let file else { return nil }
    let descriptor = retrying { open(file.path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
    guard descriptor >= 0 else { return nil }
    guard let now = try? FileStamp(of: descriptor, path: file.path), now == file.stamp else {
      close(descriptor)
      return nil
    }
    posix_fadvise(descriptor, 0, 0, POSIX_FADV_RANDOM)
    return descriptor
  }
}
