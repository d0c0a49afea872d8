import Glibc
import Synchronization

/// Wakes the thread that waits in `Screen.nextEvents`; may be used from any thread, at any time.
public struct WakeHandle: Sendable {
  let pipe: WakePipe

  /// Makes the wait return with a `.wake` event; many calls before it does are one.
  public func wake() {
    pipe.wake()
  }
}

/// A pipe to the waiting thread: a zero from other threads, a signal's number from its handler.
final class WakePipe: Sendable {
  let readEnd: Int32
  let writeEnd: Int32
  private let isAwaited = Atomic(false)

  init() throws(TerminalError) {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { throw .noPipe(String(cString: strerror(errno))) }
    (readEnd, writeEnd) = (ends[0], ends[1])
    for end in ends {
      _ = fcntl(end, F_SETFD, FD_CLOEXEC)
      _ = fcntl(end, F_SETFL, O_NONBLOCK)
    }
  }

  deinit {
    close(readEnd)
    close(writeEnd)
  }

  func wake() {
    guard !isAwaited.exchange(true, ordering: .acquiringAndReleasing) else { return }
    var byte: UInt8 = 0
    write(writeEnd, &byte, 1)
  }

  /// Everything written since the last time.
  func drain() -> [UInt8] {
    // Before reading: a call that comes in between writes a byte for the next time.
    isAwaited.store(false, ordering: .sequentiallyConsistent)
    return readAvailable(readEnd) ?? []
  }
}

/// What can be read at once, at most 64 KiB, or nil at the end of the file.
func readAvailable(_ descriptor: Int32) -> [UInt8]? {
  var isEnd = false
  let bytes = [UInt8](unsafeUninitializedCapacity: 1 << 16) { buffer, count in
    let result = read(descriptor, buffer.baseAddress, buffer.count)
    count = max(0, result)
    isEnd = result == 0 || (result < 0 && errno != EINTR && errno != EAGAIN)
  }
  return isEnd ? nil : bytes
}
