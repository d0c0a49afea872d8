/// What one place of the screen shows.
public struct Cell: Hashable, Sendable {
  /// A grapheme; a blank where a wide glyph of the cell to the left continues.
  public let glyph: Character
  /// How it is painted.
  public var style: Style
  /// 1 or 2 columns, or 0 for the right half of the wide glyph to the left.
  public let width: Int8

  /// A cell showing `glyph`; what a terminal cannot show in at most two columns becomes a
  /// stand-in.
  public init(_ glyph: Character, style: Style = .plain) {
    var first: Glyph?
    forEachGlyph(of: glyph) { first = first ?? $0 }
    self.init(first ?? .blank, style: style)
  }

  init(_ glyph: Glyph, style: Style) {
    self.glyph = glyph.character
    self.style = style
    width = Int8(glyph.width)
  }

  private init(continuing style: Style) {
    glyph = " "
    self.style = style
    width = 0
  }

  /// An empty cell in the terminal's own colours.
  public static let blank = Cell(.blank, style: .plain)

  /// The right half of a wide glyph painted in `style`.
  static func continuation(_ style: Style) -> Cell {
    Cell(continuing: style)
  }
}
