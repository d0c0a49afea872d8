import Checkpoints
import Compression
import Terminal

/// The table of layers.
struct TableView {
  let state: AppState

  func draw(in slot: PaneSlot, on painter: inout Painter) {
    var box = PaneBox(state: state, slot: slot)
    box.title = title(painter, box.titleRole)
    box.note = note(painter)
    box.draw(on: &painter)
    guard let model = state.model else {
      return OpeningView(state: state).draw(in: slot.inside, on: &painter)
    }
    if let figure = state.matrix, !state.table.rows.isEmpty {
      return MatrixView(state: state, model: model, figure: figure).draw(
        in: slot.inside, on: &painter)
    }
    let (heading, rows) = slot.inside.splitTop(1)
    let columns = state.tableColumns(in: slot)
    drawHeading(columns, in: heading, on: &painter)
    let row = TableRowView(state: state, model: model, columns: columns)
    let last = min(state.table.top + rows.rows, state.table.rows.count)
    for place in state.table.top..<max(state.table.top, last) {
      let (_, rest) = rows.splitTop(place - state.table.top)
      row.draw(place, in: rest.splitTop(1).top, on: &painter)
    }
    if state.table.rows.isEmpty {
      painter.put(
        "No layer matches \(state.table.filter.text)", .dim,
        at: Point(column: rows.column + 2, row: rows.row), maxColumns: rows.columns - 3)
    }
    drawScrollbar(in: slot, rows: rows, on: &painter)
    if !state.isTyping, state.pane == .table {
      painter.frame.cursor = Point(
        column: rows.column, row: rows.row + state.table.cursor - state.table.top)
    }
  }

  private func title(_ painter: Painter, _ role: ThemeRole) -> [Segment] {
    guard let model = state.model else { return [painter.segment("Layers", role)] }
    return [painter.segment("Layers", role), painter.segment(" \(model.layers.count)", .dim)]
  }

  /// Order, filter and marks: what makes the table look as it does.
  private func note(_ painter: Painter) -> [Segment] {
    guard state.model != nil else { return [] }
    let rule = " \(state.glyphs.rule)\(state.glyphs.rule) "
    let look = state.matrix.map { "by role: \($0.title)" } ?? state.table.order.title
    var parts = [[painter.segment(look, .dim)]]
    if !state.table.filter.isEmpty {
      parts.append([
        painter.segment("/\(state.table.filter.text)", .match),
        painter.segment(" \(state.table.matching.count)", .dim),
      ])
    }
    let marked = state.table.shownMarks.count
    if marked > 0 { parts.append([painter.segment("\(marked) marked", .mark)]) }
    let hidden = state.table.marks.count - marked
    if hidden > 0 { parts.append([painter.segment("\(hidden) marked are hidden", .dim)]) }
    if state.table.anchor != nil { parts.append([painter.segment("range", .mark)]) }
    return Array(parts.joined(separator: [painter.segment(rule, .border)]))
  }

  private func drawHeading(_ columns: TableColumns, in rect: Rect, on painter: inout Painter) {
    painter.put(
      "layer", .dim, at: Point(column: rect.column + TableColumns.margin, row: rect.row),
      maxColumns: columns.nameWidth)
    for place in columns.places {
      let facts = place.column.facts
      // Of two columns with one order, the first says so.
      let first = columns.places.first { $0.column.facts.order == state.table.order }
      let isSorted = place == first
      let text = isSorted ? state.glyphs.down + facts.title : facts.title
      painter.put(
        painter.fit(text, place.width, .trailing), isSorted ? .strong : .dim,
        at: Point(column: rect.column + place.start, row: rect.row), maxColumns: place.width)
    }
  }

  /// A thumb on the right border that shows which part of the rows is seen.
  private func drawScrollbar(in slot: PaneSlot, rows: Rect, on painter: inout Painter) {
    let count = state.table.rows.count
    guard rows.rows > 0, count > rows.rows else { return }
    let length = max(1, rows.rows * rows.rows / count)
    let travel = rows.rows - length
    let start = travel * state.table.top / max(1, count - rows.rows)
    painter.frame.fill(
      Rect(column: slot.rect.endColumn - 1, row: rows.row + start, columns: 1, rows: length),
      with: state.glyphs.scrollThumb, style: painter.style(.dim))
  }
}

/// What stands in the panes' place while no model is open.
struct OpeningView {
  let state: AppState

  func draw(in rect: Rect, on painter: inout Painter) {
    var lines: [(String, ThemeRole)] = []
    switch state.opening {
    case .idle: lines = [("No model is open", .strong), ("o opens one, q quits", .dim)]
    case .opening(let path): lines = [("Opening", .strong), (path, .dim)]
    case .failed(let path, let reason):
      lines = [("Cannot open \(path)", .error)]
      lines += wrapped(reason, columns: max(1, rect.columns - 4)).map { (String($0), .text) }
      lines.append(("o opens another, q quits", .dim))
    }
    for (index, line) in lines.enumerated() {
      let row = rect.row + max(0, (rect.rows - lines.count) / 2) + index
      let width = min(displayWidth(of: line.0), rect.columns - 2)
      painter.put(
        line.0, line.1,
        at: Point(column: rect.column + max(1, (rect.columns - width) / 2), row: row),
        maxColumns: rect.columns - 2)
    }
  }
}
