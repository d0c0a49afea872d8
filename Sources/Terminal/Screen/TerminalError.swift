/// Why the screen could not be opened, and what to do about it.
public struct TerminalError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The kind of trouble.
  public enum Code: Hashable, Sendable {
    /// Standard input or output is a file, a pipe or closed.
    case notATerminal
    /// `TERM` is not set, or names a terminal on which nothing can be placed.
    case unsuitableTerminal
    /// The operating system refused something.
    case system
  }

  public let code: Code
  /// A sentence for the user.
  public let description: String

  static func notATerminal(_ stream: String) -> TerminalError {
    TerminalError(
      code: .notATerminal,
      description: "standard \(stream) is not a terminal: "
        + "the screen needs one, so run this without redirecting its input or output")
  }

  static let termNotSet = TerminalError(
    code: .unsuitableTerminal,
    description: "the variable TERM is not set: set it to your terminal's type, "
      + "such as TERM=xterm-256color")

  static func cannotPlaceCursor(_ term: String) -> TerminalError {
    TerminalError(
      code: .unsuitableTerminal,
      description: "a terminal of type '\(term)' cannot place its cursor: if yours can, "
        + "set TERM to its type, such as TERM=xterm-256color")
  }

  static func cannotOpen(_ term: String) -> TerminalError {
    TerminalError(
      code: .system, description: "curses could not open a terminal of type '\(term)'")
  }

  static func noPipe(_ reason: String) -> TerminalError {
    TerminalError(code: .system, description: "could not make a pipe to be woken by: \(reason)")
  }
}
