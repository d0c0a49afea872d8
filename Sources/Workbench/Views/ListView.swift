import Terminal

/// Rows with a cursor, scrolled so that it is seen.
struct ListView {
  let count: Int
  let cursor: Int
  /// Whether keys move the cursor of this list.
  let isFocused: Bool
  /// A row by its place, asked for only where it is seen.
  let row: (Int, Painter) -> [Segment]

  init(count: Int, cursor: Int, isFocused: Bool, row: @escaping (Int, Painter) -> [Segment]) {
    (self.count, self.cursor, self.isFocused, self.row) = (count, cursor, isFocused, row)
  }

  init(rows: [[Segment]], cursor: Int, isFocused: Bool) {
    self.init(count: rows.count, cursor: cursor, isFocused: isFocused) { place, _ in rows[place] }
  }

  func draw(in rect: Rect, on painter: inout Painter) {
    let first = max(0, min(cursor - rect.rows / 2, count - rect.rows))
    for offset in 0..<max(0, min(rect.rows, count - first)) {
      let line = Rect(column: rect.column, row: rect.row + offset, columns: rect.columns, rows: 1)
      painter.put(
        row(first + offset, painter), at: Point(column: line.column + 1, row: line.row),
        maxColumns: rect.columns - 2)
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
