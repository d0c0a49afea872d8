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
  ///   - environment: `NO_COLOR` (no-color.org) wins over everything. `COLORTERM`, or the name of a
  ///     terminal known for it, mean 24 bits where the terminal understands xterm's sequences.
  ///   - terminalColors: The number of colours that terminfo promises; nil if it does not know the
  ///     terminal.
  /// - Returns: The most colours that are sure to come out right.
  public static func detected(
    environment: [String: String], terminalColors: Int?
  ) -> ColorDepth {
    let term = environment["TERM"] ?? ""
    guard environment["NO_COLOR", default: ""].isEmpty, term != "dumb" else { return .none }
    let family = TerminalFamily(environment: environment, isKnown: terminalColors != nil)
    if family == .xterm {
      if promisesTrueColor(environment) { return .trueColor }
      if term.contains("256color") { return .indexed256 }
    }
    return switch terminalColors ?? 8 {
    case 256...: .indexed256
    case 16...: .ansi16
    case 8...: .ansi8
    default: .none
    }
  }

  private static func promisesTrueColor(_ environment: [String: String]) -> Bool {
    let colorTerm = environment["COLORTERM", default: ""].lowercased()
    let term = environment["TERM", default: ""]
    return ["truecolor", "24bit"].contains(colorTerm) || environment["WT_SESSION"] != nil
      || term.hasSuffix("-direct") || trueColorTerminals.contains { term.contains($0) }
  }

  /// Terminals that have had 24-bit colour from their beginning.
  private static let trueColorTerminals = [
    "alacritty", "contour", "foot", "ghostty", "kitty", "rio", "wezterm",
  ]
}
