/// Rows of text in columns that line up: the first to the left, the others to the right.
struct TextTable {
  private var rows: [[String]]

  /// A table with these column headings.
  init(_ headings: [String]) { rows = [headings] }

  /// Appends a row.
  ///
  /// - Precondition: it has as many cells as there are headings.
  mutating func add(_ row: [String]) {
    precondition(row.count == rows[0].count, "a row has a cell a column")
    rows.append(row)
  }

  /// The table's lines, each ended.
  var text: String {
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      let cells = zip(row, widths).enumerated().map { place, cell in
        let space = String(repeating: " ", count: cell.1 - cell.0.count)
        return place == 0 ? cell.0 + space : space + cell.0
      }
      return cells.joined(separator: "  ") + "\n"
    }.joined()
  }
}
