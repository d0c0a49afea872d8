/// How far a terminal can be trusted to speak xterm's language.
enum TerminalFamily: Hashable {
  /// Understands xterm's sequences: nearly everything with a window.
  case xterm
  /// Draws as its terminfo entry says, but knows xterm's mouse and paste modes or ignores them.
  case relative
  /// Only what its terminfo entry says: consoles and hardware.
  case basic

  /// The family of the terminal that the environment's `TERM` names.
  ///
  /// A terminal that terminfo does not know is younger than terminfo, and such imitate xterm.
  init(environment: [String: String], isKnown: Bool) {
    let term = environment["TERM"] ?? ""
    func matches(_ names: [String]) -> Bool {
      names.contains { term == $0 || term.hasPrefix($0 + "-") }
    }
    // GNU screen takes italics for reverse and garbles 24-bit colours; tmux calls itself screen,
    // too, and does neither.
    let isScreen = matches(["screen"]) && environment["TMUX"] == nil
    if matches(Self.imitators) && !isScreen || !isKnown {
      self = .xterm
    } else {
      self = isScreen || matches(["rxvt", "Eterm"]) ? .relative : .basic
    }
  }

  private static let imitators = [
    "xterm", "alacritty", "contour", "foot", "ghostty", "iterm", "iterm2", "kitty", "konsole",
    "mintty", "putty", "rio", "screen", "st", "tmux", "vte", "wezterm",
  ]
}
