import Glibc
import Synchronization

/// Standard output or standard error, written at once and without a buffer.
final class OutputStream: Sendable {
  static let standard = OutputStream(descriptor: STDOUT_FILENO)
  static let error = OutputStream(descriptor: STDERR_FILENO)

  private let descriptor: Int32
  private let failure = Atomic<Int32>(0)

  private init(descriptor: Int32) { self.descriptor = descriptor }

  /// Keeps the numbers of standard streams that whoever started the program has closed from going to the files that it
  /// opens: what is written to them must not end up there.
  static func reserveNumbers() {
    for number in STDIN_FILENO...STDERR_FILENO where fcntl(number, F_GETFD) < 0 {
      // The lowest number that is free, which cannot be written to.
      _ = unsafe open("/dev/null", O_RDONLY)
    }
  }

  /// Whether a person reads it in a terminal.
  var isTerminal: Bool { isatty(descriptor) == 1 }

  /// Why something could not be written, such as a full disk; nil if all was.
  var flaw: String? {
    let code = failure.load(ordering: .relaxed)
    // The text is the C library's own.
    return code == 0 ? nil : unsafe String(cString: strerror(code))
  }

  /// Writes all of `text`; what cannot be written is lost, and ``flaw`` says so.
  func write(_ text: String) {
    var bytes = ArraySlice(text.utf8)
    while !bytes.isEmpty {
      // The count passed is the slice's own.
      let written = unsafe bytes.withUnsafeBytes { bytes in
        unsafe Glibc.write(descriptor, bytes.baseAddress, bytes.count)
      }
      switch errno {
      case _ where written >= 0: bytes.removeFirst(written)
      case EINTR: break
      case EAGAIN: waitForRoom()
      default:
        failure.store(errno, ordering: .relaxed)
        return
      }
    }
  }

  /// Writes `line` and ends it.
  func writeLine(_ line: String) { write(line + "\n") }

  /// Waits until whoever reads has taken something, where the descriptor was made one that does not wait.
  private func waitForRoom() {
    var state = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
    unsafe poll(&state, 1, -1)
  }
}
