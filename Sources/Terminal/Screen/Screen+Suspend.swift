import CNcurses
import Glibc

extension Screen {
  /// Stops the process and its group as a shell's job, as ctrl-z does, and returns when it runs on.
  ///
  /// The next events then begin with `.resumed`. Where there is no shell to return to, as in a
  /// terminal that was opened for this program alone, nothing happens.
  ///
  /// - Returns: Whether the process was stopped.
  @discardableResult
  public func suspend() -> Bool {
    stop(wholeGroup: true)
  }

  @discardableResult
  func stop(wholeGroup: Bool) -> Bool {
    guard cn_can_stop() else { return false }
    release()
    cn_stop(wholeGroup)
    waitForContinuation()
    takeBack()
    postponed.append(.resumed)
    return true
  }

  /// Other threads may run for a moment before a stop takes hold of this one, too.
  private func waitForContinuation() {
    var hasContinued = false
    while !hasContinued {
      var descriptor = pollfd(fd: pipe.readEnd, events: Int16(POLLIN), revents: 0)
      guard poll(&descriptor, 1, -1) > 0 else { continue }
      for number in pipe.drain() {
        switch Int32(number) {
        case SIGCONT: hasContinued = true
        case SIGTSTP, SIGWINCH: break  // taking back looks at the size anyway
        case 0: postponed.append(.wake)
        case let signal:
          postponed.append(.terminate(signal: signal))
          hasContinued = true
        }
      }
    }
  }
}
