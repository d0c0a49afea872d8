/// The glyphs of a border, each one column wide.
public struct BoxGlyphs: Hashable, Sendable {
  public var topLeft: Character
  public var topRight: Character
  public var bottomLeft: Character
  public var bottomRight: Character
  public var horizontal: Character
  public var vertical: Character

  /// A border of the given glyphs; `corners` go clockwise from the top left.
  public init(
    corners: (Character, Character, Character, Character), horizontal: Character,
    vertical: Character
  ) {
    (topLeft, topRight, bottomRight, bottomLeft) = corners
    self.horizontal = horizontal
    self.vertical = vertical
  }

  /// Thin lines with round corners.
  public static let rounded = BoxGlyphs(
    corners: ("╭", "╮", "╯", "╰"), horizontal: "─", vertical: "│")

  /// Thin lines with square corners.
  public static let square = BoxGlyphs(
    corners: ("┌", "┐", "┘", "└"), horizontal: "─", vertical: "│")

  /// Characters that every terminal and locale has.
  public static let ascii = BoxGlyphs(corners: ("+", "+", "+", "+"), horizontal: "-", vertical: "|")
}
