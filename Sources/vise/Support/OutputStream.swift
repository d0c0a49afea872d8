import Glibc
import Text

/// Standard output or standard error, written at once and without a buffer.
///
/// Whatever names, templates, files and servers say goes through here: nothing of it acts on a terminal.
struct OutputStream {
  static let standard = OutputStream(descriptor: STDOUT_FILENO)
  static let error = OutputStream(descriptor: STDERR_FILENO)

  private let descriptor: Int32

  /// Whether a person reads it in a terminal.
  var isTerminal: Bool { isatty(descriptor) == 1 }

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

  /// Writes all of `text`; what cannot be written is lost.
  private func send(_ text: String) {
    var bytes = Array(text.utf8)
    while !bytes.isEmpty {
      // The count passed is the array's own.
      let written = unsafe Glibc.write(descriptor, bytes, bytes.count)
      if written < 0 && errno != EINTR { return }
      bytes.removeFirst(max(0, written))
    }
  }
}
