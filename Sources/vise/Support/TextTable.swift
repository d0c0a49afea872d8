import Text

/// Rows of text in columns that line up: words to the left, numbers to the right.
struct TextTable {
  private var rows: [[String]]
  private let wordColumns: Set<Int>

  /// A table with these column headings; the columns of these places hold words.
  init(_ headings: [String], words: Set<Int> = [0]) {
    rows = [headings]
    wordColumns = words
  }

  /// Appends a row.
  ///
  /// - Precondition: it has as many cells as there are headings.
  mutating func add(_ row: [String]) {
    precondition(row.count == rows[0].count, "a row has a cell a column")
    // As it will be printed, for its width.
    rows.append(row.map { DisplayText.spelled($0, isLine: true) })
  }

  /// The table's lines, each ended.
  var text: String {
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      let cells = zip(row, widths).enumerated().map { place, cell in
        let space = String(repeating: " ", count: cell.1 - cell.0.count)
        return wordColumns.contains(place) ? cell.0 + space : space + cell.0
      }
      let line = cells.joined(separator: "  ")
      return String(line.reversed().drop { $0 == " " }.reversed()) + "\n"
    }.joined()
  }
}
