import Glibc

/// Standard output or standard error, written at once and without a buffer.
struct OutputStream {
  static let standard = OutputStream(descriptor: STDOUT_FILENO)
  static let error = OutputStream(descriptor: STDERR_FILENO)

  private let descriptor: Int32

  /// Whether a person reads it in a terminal.
  var isTerminal: Bool { isatty(descriptor) == 1 }

  /// Writes all of `text`; what cannot be written is lost.
  func write(_ text: String) {
    var bytes = Array(text.utf8)
    while !bytes.isEmpty {
      // The count passed is the array's own.
      let written = unsafe Glibc.write(descriptor, bytes, bytes.count)
      if written < 0 && errno != EINTR { return }
      bytes.removeFirst(max(0, written))
    }
  }

  /// Writes `line` and ends it.
  func writeLine(_ line: String) { write(line + "\n") }
}
