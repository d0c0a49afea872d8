import FoundationEssentials
import Glibc

/// The two ends of a terminal and the process around it, so that tests can bring their own.
struct TerminalDevice {
  var input: Int32
  var output: Int32
  var environment: [String: String]
  /// Whether standard error is kept off the screen.
  var capturesStandardError: Bool

  /// The terminal that the process was started in.
  static var standard: TerminalDevice {
    TerminalDevice(
      input: STDIN_FILENO, output: STDOUT_FILENO,
      environment: ProcessInfo.processInfo.environment, capturesStandardError: true)
  }

  /// The size that the terminal reports, or the environment's, or that of a VT100.
  var size: Size {
    var window = winsize()
    if ioctl(output, UInt(TIOCGWINSZ), &window) == 0, window.ws_col > 0, window.ws_row > 0 {
      return Size(columns: Int(window.ws_col), rows: Int(window.ws_row))
    }
    func extent(_ name: String) -> Int? {
      environment[name].flatMap(Int.init).flatMap { (1...9999).contains($0) ? $0 : nil }
    }
    return Size(columns: extent("COLUMNS") ?? 80, rows: extent("LINES") ?? 24)
  }

  /// The byte that the terminal's driver takes for Backspace.
  var eraseByte: UInt8 {
    var settings = termios()
    guard tcgetattr(input, &settings) == 0 else { return 0x7F }
    return withUnsafeBytes(of: settings.c_cc) { $0[Int(VERASE)] }
  }

  /// How long a lone Escape may turn out to be the beginning of a sequence.
  var escapeDelay: Int {
    if let milliseconds = environment["ESCDELAY"].flatMap(Int.init),
      (1...5000).contains(milliseconds)
    {
      return milliseconds
    }
    let isRemote = environment["SSH_TTY"] != nil || environment["SSH_CONNECTION"] != nil
    return isRemote ? 50 : 25
  }

  /// Sends bytes around curses.
  func send(_ text: String) {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { write(output, $0.baseAddress, $0.count) }
      if count > 0 {
        rest = rest.dropFirst(count)
      } else if errno != EINTR {
        return
      }
    }
  }
}
