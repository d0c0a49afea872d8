/// A picture of the whole screen: a grid of cells and the place of the hardware cursor.
///
/// A frame is always well formed: a wide glyph owns two cells of one row, and painting over one of
/// them blanks the other. What is painted outside is clipped, never an error.
public struct Frame: Hashable, Sendable {
  /// Columns and rows of the grid.
  public let size: Size
  /// Row after row, `size.columns * size.rows` cells.
  public private(set) var cells: [Cell]
  /// Where the hardware cursor goes: the input caret or the selected row, which screen readers
  /// follow even while the cursor is hidden.
  public var cursor: Point?
  /// Whether the hardware cursor is visible, as it is in an input field.
  public var showsCursor = false
  /// Cells that lead somewhere, where the terminal opens what it is told of.
  public var links: [Link] = []

  /// A frame of blanks painted in `style`.
  public init(size: Size, style: Style = .plain) {
    self.size = size
    cells = Array(repeating: Cell(.blank, style: style), count: size.columns * size.rows)
  }

  /// The rectangle of all cells.
  public var bounds: Rect { Rect(size) }

  /// The cell at a place: outside of the grid it reads as a blank, and writing does nothing.
  ///
  /// Writing a wide cell takes the next one, too; in the last column it leaves a blank.
  public subscript(row: Int, column: Int) -> Cell {
    get {
      guard let index = index(row, column) else { return .blank }
      return cells[index]
    }
    set {
      guard let index = index(row, column) else { return }
      place(newValue, at: index, column: column)
    }
  }

  /// Repaints the cells of `rect` and keeps what they show, as for a selected row.
  public mutating func restyle(_ rect: Rect, _ change: (inout Style) -> Void) {
    let area = rect.intersection(bounds)
    for row in area.row..<max(area.row, area.endRow) {
      for column in area.column..<max(area.column, area.endColumn) {
        change(&cells[row * size.columns + column].style)
      }
    }
  }

  /// The glyphs of one row without trailing blanks; empty for a row outside of the grid.
  public func row(_ row: Int) -> String {
    guard (0..<size.rows).contains(row) else { return "" }
    let line = cells[row * size.columns..<(row + 1) * size.columns]
    let end = line.lastIndex { $0.glyph != " " }.map { $0 + 1 } ?? line.startIndex
    return String(line[..<end].lazy.filter { $0.width > 0 }.map(\.glyph))
  }

  /// All rows joined by newlines, without trailing blanks.
  public func text() -> String {
    (0..<size.rows).map(row).joined(separator: "\n")
  }

  private func index(_ row: Int, _ column: Int) -> Int? {
    guard row >= 0, row < size.rows, column >= 0, column < size.columns else { return nil }
    return row * size.columns + column
  }

  private mutating func place(_ cell: Cell, at index: Int, column: Int) {
    if cell.width == 0 {
      // Copying a frame cell by cell arrives here after the left half brought its right half.
      if cells[index].width == 0 {
        cells[index].style = cell.style
        return
      }
      return place(Cell(.blank, style: cell.style), at: index, column: column)
    }
    guard cell.width == 1 || column + 1 < size.columns else {
      return place(Cell(.blank, style: cell.style), at: index, column: column)
    }
    unpair(index)
    if cell.width == 2 {
      unpair(index + 1)
      cells[index + 1] = .continuation(cell.style)
    }
    cells[index] = cell
  }

  /// Blanks the other half of a wide glyph whose cell at `index` is about to be painted over.
  private mutating func unpair(_ index: Int) {
    switch cells[index].width {
    case 0: cells[index - 1] = Cell(.blank, style: cells[index - 1].style)
    case 2: cells[index + 1] = Cell(.blank, style: cells[index + 1].style)
    default: break
    }
  }
}
