/// How many colours the terminal can show.
public enum ColorDepth: String, Hashable, Sendable, CaseIterable {
  /// 24 bits.
  case trueColor
  /// The palette of 256: the terminal's own sixteen, a cube of 216 colours and 24 greys.
  case indexed256
  /// The terminal's own sixteen.
  case ansi16
  /// The terminal's own eight; bold stands for their bright variants.
  case ansi8
  /// No colour: attributes only.
  case none

  /// The depth of a terminal, from what its user's environment says about it.
  ///
  /// - Parameters:
  ///   - environment: `NO_COLOR` (no-color.org) wins over everything. `COLORTERM` or the name of a
  ///     terminal known for it mean 24 bits, unless GNU screen is in between.
  ///   - terminalColors: The number of colours that terminfo promises.
  /// - Returns: The most colours that are sure to come out right.
  public static func detected(
    environment: [String: String], terminalColors: Int
  ) -> ColorDepth {
    let term = environment["TERM"] ?? ""
    guard environment["NO_COLOR", default: ""].isEmpty, term != "dumb" else { return .none }
    if TerminalFamily(term: term) == .xterm {
      // GNU screen passes the outer terminal's COLORTERM on but garbles 24-bit sequences.
      let isBehindScreen = environment["STY"] != nil && environment["TMUX"] == nil
      if !isBehindScreen, promisesTrueColor(environment) { return .trueColor }
      if term.contains("256color") || isModern(term) { return .indexed256 }
    }
    return switch terminalColors {
    case 257...: .trueColor
    case 256: .indexed256
    case 16...: .ansi16
    case 8...: .ansi8
    default: .none
    }
  }

  private static func promisesTrueColor(_ environment: [String: String]) -> Bool {
    let colorTerm = environment["COLORTERM", default: ""].lowercased()
    let term = environment["TERM", default: ""]
    return ["truecolor", "24bit"].contains(colorTerm) || environment["WT_SESSION"] != nil
      || term.hasSuffix("-direct") || isModern(term)
  }

  /// Terminals that have had 24-bit colour from their beginning.
  private static func isModern(_ term: String) -> Bool {
    ["alacritty", "foot", "wezterm", "ghostty", "kitty", "contour", "rio"].contains {
      term.contains($0)
    }
  }
}
