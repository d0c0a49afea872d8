import Terminal

/// Rows with a cursor, scrolled so that it is seen.
struct ListView {
  let rows: [[Segment]]
  let cursor: Int
  /// Whether keys move the cursor of this list.
  let isFocused: Bool

  func draw(in rect: Rect, on painter: inout Painter) {
    let first = max(0, min(cursor - rect.rows / 2, rows.count - rect.rows))
    for (offset, row) in rows.dropFirst(first).prefix(rect.rows).enumerated() {
      let line = Rect(column: rect.column, row: rect.row + offset, columns: rect.columns, rows: 1)
      painter.put(
        row, at: Point(column: line.column + 1, row: line.row), maxColumns: rect.columns - 2)
      guard first + offset == cursor else { continue }
      if isFocused {
        painter.select(line)
        painter.frame.cursor = line.origin
      }
    }
  }

  /// The index of the row at a place of the screen; nil where there is none.
  static func index(at point: Point, in rect: Rect, cursor: Int, count: Int) -> Int? {
    guard rect.contains(point) else { return nil }
    let first = max(0, min(cursor - rect.rows / 2, count - rect.rows))
    let index = first + point.row - rect.row
    return index < count ? index : nil
  }
}
