/// What the user decides about the terminal, instead of having it detected.
public struct TerminalOptions: Hashable, Sendable {
  /// The colours to use; nil to find out what the terminal has.
  public var colorDepth: ColorDepth?
  /// Whether the terminal reports the mouse from the beginning, so that selecting text takes Shift.
  public var usesMouse: Bool
  /// Whether nothing but ASCII is shown, whatever the locale.
  public var forcesASCII: Bool
  /// Whether UTF-8 is shown, whatever the locale; `forcesASCII` wins.
  public var forcesUTF8: Bool
  /// Whether the terminal is asked for its ground and for kitty's way of sending keys.
  public var asksTerminal: Bool

  public init(
    colorDepth: ColorDepth? = nil, usesMouse: Bool = true, forcesASCII: Bool = false,
    forcesUTF8: Bool = false, asksTerminal: Bool = false
  ) {
    self.colorDepth = colorDepth
    self.usesMouse = usesMouse
    self.forcesASCII = forcesASCII
    self.forcesUTF8 = forcesUTF8
    self.asksTerminal = asksTerminal
  }
}
