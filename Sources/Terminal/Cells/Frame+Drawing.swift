extension Frame {
  /// Writes `text` on one row, up to the last grapheme that fits.
  ///
  /// - Parameters:
  ///   - text: What to write; controls become visible stand-ins, so escape sequences are harmless.
  ///   - point: Where the first grapheme goes; it may lie left of the visible part.
  ///   - style: How the cells are painted.
  ///   - clip: The part of the frame that may be painted; all of it by default.
  ///   - maxColumns: The most columns to take.
  /// - Returns: The columns taken, counted from `point`.
  @discardableResult
  public mutating func put(
    _ text: some StringProtocol, at point: Point, style: Style = .plain, within clip: Rect? = nil,
    maxColumns: Int = .max
  ) -> Int {
    let visible = bounds.intersection(clip ?? bounds)
    guard point.row >= visible.row, point.row < visible.endRow else { return 0 }
    let end =
      maxColumns < visible.endColumn - point.column
      ? point.column + maxColumns : visible.endColumn
    var column = point.column
    for character in text {
      let width = displayWidth(of: character)
      guard column + width <= end else { break }
      forEachGlyph(of: character) { glyph in
        put(glyph, row: point.row, column: column, style: style, from: visible.column)
        column += glyph.width
      }
    }
    return column - point.column
  }

  /// Paints every cell of `rect` with a glyph of one column.
  public mutating func fill(_ rect: Rect, with glyph: Character = " ", style: Style = .plain) {
    let area = rect.intersection(bounds)
    let cell = Cell(glyph, style: style)
    guard !area.isEmpty, cell.width == 1 else { return }
    for row in area.row..<area.endRow {
      for column in area.column..<area.endColumn {
        self[row, column] = cell
      }
    }
  }

  /// Draws a border along the inside edge of `rect`, with texts set into it, and leaves its inside.
  ///
  /// - Parameters:
  ///   - rect: The box, border included; nothing is drawn under two columns or rows.
  ///   - style: How the border is painted.
  ///   - glyphs: What the border is made of.
  ///   - title: Written into the upper edge on the left, truncated to fit.
  ///   - titleStyle: How the texts are painted; as the border by default.
  ///   - footer: Written into the lower edge on the right, if it fits.
  public mutating func drawBox(
    _ rect: Rect, style: Style = .plain, glyphs: BoxGlyphs = .rounded, title: String = "",
    titleStyle: Style? = nil, footer: String = ""
  ) {
    guard rect.columns >= 2, rect.rows >= 2 else { return }
    let (right, bottom) = (rect.endColumn - 1, rect.endRow - 1)
    for column in rect.column..<right {
      self[rect.row, column] = Cell(glyphs.horizontal, style: style)
      self[bottom, column] = Cell(glyphs.horizontal, style: style)
    }
    for row in rect.row..<bottom {
      self[row, rect.column] = Cell(glyphs.vertical, style: style)
      self[row, right] = Cell(glyphs.vertical, style: style)
    }
    self[rect.row, rect.column] = Cell(glyphs.topLeft, style: style)
    self[rect.row, right] = Cell(glyphs.topRight, style: style)
    self[bottom, rect.column] = Cell(glyphs.bottomLeft, style: style)
    self[bottom, right] = Cell(glyphs.bottomRight, style: style)

    let room = rect.columns - 4  // the corners and a blank on either side of the text
    guard room > 0 else { return }
    if !title.isEmpty {
      put(
        " \(truncated(title, to: room)) ", at: Point(column: rect.column + 1, row: rect.row),
        style: titleStyle ?? style)
    }
    let footerWidth = displayWidth(of: footer)
    if footerWidth > 0, footerWidth <= room {
      put(
        " \(footer) ", at: Point(column: right - footerWidth - 2, row: bottom),
        style: titleStyle ?? style)
    }
  }

  /// Draws `glyph`, or blanks for the visible half of one that the left edge of the clip cuts.
  private mutating func put(
    _ glyph: Glyph, row: Int, column: Int, style: Style, from first: Int
  ) {
    if column >= first {
      self[row, column] = Cell(glyph, style: style)
    } else if column + glyph.width > first {
      self[row, first] = Cell(.blank, style: style)
    }
  }
}
