import FoundationEssentials
import Glibc

extension Screen {
  /// Puts text on the clipboard of the machine that the terminal's window is on.
  ///
  /// Uses OSC 52, which also works through SSH. tmux by default ignores the sequence from programs
  /// but sets the clipboard when its own command asks for it.
  public func copyToClipboard(_ text: String) {
    if device.environment["TMUX"] != nil, loadTmuxBuffer(text) { return }
    let encoded = Data(text.utf8).base64EncodedString()
    device.send("\u{1B}]52;c;\(encoded)\u{07}")
  }

  /// Whether tmux (3.2 or later) has taken the text.
  private func loadTmuxBuffer(_ text: String) -> Bool {
    guard let file = tmpfile() else { return false }
    defer { fclose(file) }
    guard fputs(text, file) >= 0, fflush(file) == 0, lseek(fileno(file), 0, SEEK_SET) == 0
    else { return false }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, fileno(file), STDIN_FILENO)
    for descriptor in [STDOUT_FILENO, STDERR_FILENO] {
      posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_WRONLY, 0)
    }
    var process: pid_t = 0
    let environment = device.environment.map { "\($0.key)=\($0.value)" }
    let hasStarted = withCStrings(["tmux", "load-buffer", "-w", "-"]) { arguments in
      withCStrings(environment) { environment in
        posix_spawnp(&process, "tmux", &actions, nil, arguments, environment) == 0
      }
    }
    var status: Int32 = 0
    return hasStarted && waitpid(process, &status, 0) == process && status == 0
  }
}

/// Calls `body` with the strings as C passes lists of them: pointers, and a null pointer at the end.
private func withCStrings<Result>(
  _ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
) -> Result {
  let copies = strings.map { strdup($0) }
  defer { copies.forEach { free($0) } }
  return body(copies + [nil])
}
