import Terminal

/// The text of an editor in rows of a width, and where its characters stand.
struct EditorLines: Hashable, Sendable {
  struct Row: Hashable, Sendable {
    /// Place of its first character in the text.
    let start: Int
    /// Characters in it, a line break at its end not counted.
    let text: String
  }

  let rows: [Row]

  /// Breaks lines where they end, and where another character would reach the last column, which is the caret's.
  init(_ text: String, columns: Int) {
    let most = max(columns - 1, 1)
    var rows: [Row] = []
    var (start, line, width) = (0, "", 0)
    func wrap(at next: Int) {
      rows.append(Row(start: start, text: line))
      (start, line, width) = (next, "", 0)
    }
    for (place, character) in text.enumerated() {
      guard !character.isNewline else {
        wrap(at: place + 1)
        continue
      }
      let cells = displayWidth(of: character)
      if width + cells > most, !line.isEmpty { wrap(at: place) }
      line.append(character)
      width += cells
    }
    self.rows = rows + [Row(start: start, text: line)]
  }

  /// The row and the display column of a caret before the character at `caret`.
  func place(of caret: Int) -> (row: Int, column: Int) {
    let row = rows.lastIndex { $0.start <= caret } ?? 0
    return (row, displayWidth(of: rows[row].text.prefix(caret - rows[row].start)))
  }

  /// The caret before the character at a display column of a row.
  func caret(row: Int, column: Int) -> Int {
    let line = rows[max(0, min(row, rows.count - 1))]
    var used = 0
    let before = line.text.prefix { character in
      used += displayWidth(of: character)
      return used <= column
    }
    return line.start + before.count
  }

  /// The first of `height` rows of which the last as far as possible, but in any case the caret's, is seen.
  func first(showing caret: Int, height: Int) -> Int {
    let row = place(of: caret).row
    return max(0, min(row - height / 2, rows.count - height))
  }
}
