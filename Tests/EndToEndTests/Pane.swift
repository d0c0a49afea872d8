import Foundation
import Testing

/// A real terminal of a given size, in which a real shell runs the real binary: one tmux server each.
final class Pane {
  /// What tmux knows of the terminal's modes.
  struct Modes: Equatable {
    var isAlternate: Bool
    var hasMouse: Bool
    var showsCursor: Bool
  }

  private let socket: String
  private let directory: URL

  /// Runs the binary with `arguments`, then prints its exit status and the terminal's settings.
  ///
  /// - Parameters:
  ///   - arguments: Of the program.
  ///   - columns: Of the terminal.
  ///   - rows: Of the terminal.
  ///   - environment: Beside what every pane has.
  ///   - besideSamples: Whether the program starts in the pane's own folder, where `Samples` is too.
  /// - Throws: when tmux cannot be started.
  convenience init(
    _ arguments: [String], columns: Int = 120, rows: Int = 36, environment: [String: String] = [:],
    besideSamples: Bool = false
  ) throws {
    let samples = Self.quoted(Self.root.appending(path: "Samples").path)
    let place = besideSamples ? "cd \"$XDG_STATE_HOME\" && ln -s \(samples) ." : ""
    let script = """
      \(place)
      \(Self.command(arguments)); echo "exit status $?"
      stty -a | tr ';' '\\n' | grep -o -- '-\\?\\(icanon\\|echo\\)\\b' | tr '\\n' ' '
      exec cat
      """
    try self.init(script: script, columns: columns, rows: rows, environment: environment)
  }

  /// An interactive shell whose first command runs the binary with `arguments`.
  static func interactive(
    _ arguments: [String], environment: [String: String] = [:]
  ) throws -> Pane {
    let pane = try Pane(
      script: "exec bash --norc --noprofile -i", columns: 120, rows: 36, environment: environment)
    try pane.wait(for: "shell>")
    try pane.start(arguments)
    return pane
  }

  /// Runs the binary with `arguments` in an interactive shell.
  func start(_ arguments: [String]) throws { try type(Self.command(arguments) + "\r") }

  private init(
    script: String, columns: Int, rows: Int, environment: [String: String]
  ) throws {
    socket = "vise-test-\(UUID().uuidString.prefix(8))"
    directory = FileManager.default.temporaryDirectory.appending(path: socket)
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    var variables = [
      "LANG": "C.UTF-8", "TERM": "tmux-256color", "XDG_CONFIG_HOME": directory.path,
      "XDG_STATE_HOME": directory.path, "XDG_RUNTIME_DIR": directory.path,
      // On a terminal, the backtrace would wait for a key.
      "SWIFT_BACKTRACE": "enable=no", "PS1": "shell> ",
    ]
    variables.merge(environment) { $1 }
    let settings = variables.map { "\($0.key)=\(Self.quoted($0.value))" }.sorted()
    let file = directory.appending(path: "run.sh")
    let exports = settings.map { "export " + $0 }.joined(separator: "\n")
    try (exports + "\n" + script + "\n").write(to: file, atomically: true, encoding: .utf8)
    try tmux(
      "-f", "/dev/null", "new-session", "-d", "-s", "main", "-x", String(columns), "-y",
      String(rows), "bash \(Self.quoted(file.path))")
  }

  deinit {
    _ = try? tmux("kill-server")
    _ = try? engine("--stop", "all")
    try? FileManager.default.removeItem(at: directory)
  }

  /// A folder that only this pane's program uses.
  var scratch: URL { directory }

  /// The screen as text, rows joined by newlines.
  func screen() throws -> String { try tmux("capture-pane", "-p", "-t", "main") }

  /// The screen with its colours as escape sequences.
  func colouredScreen() throws -> String { try tmux("capture-pane", "-e", "-p", "-t", "main") }

  func modes() throws -> Modes {
    let flags = try tmux(
      "display", "-p", "-t", "main", "#{alternate_on} #{mouse_any_flag} #{cursor_flag}"
    ).split(whereSeparator: \.isWhitespace)
    guard flags.count == 3 else {
      throw Command.Failure(description: "tmux tells no modes: \(flags)")
    }
    return Modes(
      isAlternate: flags[0] == "1", hasMouse: flags[1] == "1", showsCursor: flags[2] == "1")
  }

  /// Presses named keys: `j`, `Enter`, `F6`, `C-c`.
  func press(_ keys: String...) throws {
    for key in keys { try tmux("send-keys", "-t", "main", key) }
  }

  /// Types text as it is.
  func type(_ text: String) throws { try tmux("send-keys", "-t", "main", "-l", text) }

  /// Clicks the cell in this column and row, counted from 1, as an SGR mouse does.
  func click(column: Int, row: Int) throws {
    for end in ["M", "m"] {
      let bytes = "\u{1B}[<0;\(column);\(row)\(end)".utf8.map { String($0, radix: 16) }
      try tmux(["send-keys", "-t", "main", "-H"] + bytes)
    }
  }

  /// Pastes text with bracketed paste.
  func paste(_ text: String) throws {
    let file = directory.appending(path: "paste.txt")
    try text.write(to: file, atomically: true, encoding: .utf8)
    try tmux("load-buffer", file.path)
    try tmux("paste-buffer", "-p", "-t", "main")
  }

  func resize(columns: Int, rows: Int) throws {
    try tmux("resize-window", "-t", "main", "-x", String(columns), "-y", String(rows))
  }

  /// Gives the terminal a ground of this colour, which it then tells whoever asks.
  func setGround(_ color: String) throws { try tmux("set", "-g", "window-style", "bg=\(color)") }

  /// Process id of the running program, child of the pane's shell.
  func program() throws -> pid_t {
    let shell = try tmux("display", "-p", "-t", "main", "#{pane_pid}")
      .trimmingCharacters(in: .whitespacesAndNewlines)
    let children = try Command.run(["pgrep", "-P", shell])
    guard let first = children.split(separator: "\n").first, let id = pid_t(first) else {
      throw Command.Failure(description: "the shell runs no program:\n\(try screen())")
    }
    return id
  }

  /// What `vise engine` prints of the engines that this pane's workbenches have started.
  @discardableResult
  func engine(_ arguments: String...) throws -> String {
    try Command.run(
      [Self.binary, "engine"] + arguments, environment: ["XDG_RUNTIME_DIR": directory.path])
  }

  /// Waits until the screen fulfils a condition; throws what it shows when it does not.
  @discardableResult
  func wait(
    for what: String, seconds: Double = 60, until condition: (String) -> Bool
  ) throws -> String {
    let deadline = Date().addingTimeInterval(seconds)
    var last = ""
    repeat {
      last = try screen()
      if condition(last) { return last }
      usleep(20_000)
    } while Date() < deadline
    throw Command.Failure(description: "waited in vain for \(what); the screen shows:\n\(last)")
  }

  /// Waits until the screen holds `text`.
  @discardableResult
  func wait(for text: String, seconds: Double = 60) throws -> String {
    try wait(for: "“\(text)”", seconds: seconds) { $0.contains(text) }
  }

  /// Checks that the program ended with `status` and left the terminal as it found it.
  func expectRestored(
    status: Int32, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    try wait(for: "exit status \(status)")
    try wait(for: "the terminal's settings") { $0.contains("icanon") && $0.contains("echo") }
    let text = try screen()
    #expect(!text.contains("-icanon") && !text.contains("-echo"), sourceLocation: sourceLocation)
    let restored = Modes(isAlternate: false, hasMouse: false, showsCursor: true)
    #expect(try modes() == restored, sourceLocation: sourceLocation)
  }

  @discardableResult
  private func tmux(_ arguments: String...) throws -> String { try tmux(arguments) }

  @discardableResult
  private func tmux(_ arguments: [String]) throws -> String {
    try Command.run(["tmux", "-L", socket] + arguments, environment: ["LANG": "C.UTF-8"])
  }

  /// The binary that the test build made, beside the test bundle.
  static var binary: String { buildFolder.appending(path: "vise").path }

  private static var buildFolder: URL {
    URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
  }

  /// The repository's root.
  static var root: URL {
    URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
  }

  /// The shell command that runs the binary with `arguments`.
  private static func command(_ arguments: [String]) -> String {
    ([binary] + arguments).map(quoted).joined(separator: " ")
  }

  private static func quoted(_ text: String) -> String {
    "'" + text.replacingOccurrences(of: "'", with: "'\\''") + "'"
  }
}
