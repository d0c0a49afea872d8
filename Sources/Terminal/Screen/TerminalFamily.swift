/// How far a terminal can be trusted to speak xterm's language.
enum TerminalFamily: Hashable {
  /// Understands xterm's sequences for colours, mouse and keys: nearly everything with a window.
  case xterm
  /// Only what its terminfo entry says.
  case other

  /// The family of the terminal that `TERM` names.
  init(term: String) {
    let speaksXterm = Self.prefixes.contains { term == $0 || term.hasPrefix($0 + "-") }
    self = speaksXterm ? .xterm : .other
  }

  private static let prefixes = [
    "xterm", "tmux", "screen", "alacritty", "contour", "foot", "ghostty", "iterm", "iterm2",
    "kitty", "konsole", "mintty", "putty", "rio", "st", "vte", "wezterm",
  ]
}
