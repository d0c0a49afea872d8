import Glibc
import Synchronization
import Text

/// Standard output or standard error, written at once and without a buffer.
///
/// Whatever names, templates, files and servers say goes through here: nothing of it acts on a terminal.
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

  /// Writes text for people, with what would act on a terminal spelled out.
  func write(_ text: String) { send(DisplayText.spelled(text)) }

  /// Writes `line` and ends it.
  func writeLine(_ line: String) { write(line + "\n") }

  /// Writes a model's answer: its own bytes, unless it goes to a terminal.
  func writeAnswer(_ text: String) { send(isTerminal ? DisplayText.text(text) : text) }

  /// Writes `line` over the terminal's current one, or erases that if it is nil.
  func replaceLine(with line: String?) {
    // Back to the line's start; afterwards, erase what is left of the longer line before.
    send("\r\(DisplayText.line(line ?? ""))\u{1B}[K")
  }

  /// Writes all of `text`; what cannot be written is lost, and ``flaw`` says so.
  private func send(_ text: String) {
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

  /// Waits until whoever reads has taken something, where the descriptor was made one that does not wait.
  private func waitForRoom() {
    var state = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
    unsafe poll(&state, 1, -1)
  }
}
