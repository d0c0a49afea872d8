import Glibc

/// How the process ends when it is at fault.
enum Crashes {
  /// Lets the system end a process that crashed, at once and with a core dump where that is on.
  ///
  /// Swift's runtime would print a backtrace and, in a terminal, wait half a minute for a key, with the screen as the crash
  /// left it. Whoever sets `SWIFT_BACKTRACE` wants that.
  static func endAtOnce() {
    guard unsafe getenv("SWIFT_BACKTRACE") == nil else { return }
    for number in [SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGQUIT] {
      _ = signal(number, SIG_DFL)
    }
  }
}
