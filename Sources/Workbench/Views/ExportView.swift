import Terminal

/// The export overlay: who is to load it, where it goes, what is written, what cannot be, how far it is.
struct ExportView {
  let state: AppState

  func draw(_ layout: OverlayLayout, on painter: inout Painter) {
    painter.openPopup(
      layout.rect, title: "Export", hint: "Enter exports, p path, r replace, Esc closes")
    let text = ExportText(state)
    for (rect, choice) in zip(layout.items, ExportChoice.all) {
      let isSelected = choice == state.export.choice
      painter.put(
        " \(choice.name) ", isSelected ? .strong : .dim, at: rect.origin, maxColumns: rect.columns)
      if isSelected { painter.select(rect) }
    }
    let inside = layout.rect.inset(columns: 3, rows: 1)
    func put(_ segments: [Segment], row: Int) {
      guard row < inside.rows else { return }
      painter.put(
        segments, at: Point(column: inside.column, row: inside.row + row),
        maxColumns: inside.columns)
    }
    put([painter.segment(state.export.choice.summary, .dim)], row: 1)
    put([painter.segment("to ", .dim), painter.segment(text.destination)], row: 2)
    painter.link(
      state.absolute(text.path), at: Point(column: inside.column + 3, row: inside.row + 2),
      columns: min(displayWidth(of: text.path), inside.columns - 3))
    put([painter.segment(text.heading.text, text.heading.role)], row: 4)
    let end = endLines(text, columns: inside.columns, painter)
    let height = max(0, inside.rows - 5 - max(1, end.count) - 1)
    let lines = text.list.dropFirst(state.export.top).prefix(height)
    let widths = Widths(text.list, columns: inside.columns)
    for (offset, line) in lines.enumerated() {
      put(segments(line, widths, painter), row: 5 + offset)
    }
    for (offset, segments) in end.enumerated() {
      put(segments, row: inside.rows - end.count + offset)
    }
  }

  /// How far the export is, or what came of it, in as many lines as a reason takes.
  private func endLines(_ text: ExportText, columns: Int, _ painter: Painter) -> [[Segment]] {
    if let job = text.running {
      return [JobText(job).progress(barColumns: min(24, columns / 3), painter)]
    }
    guard let outcome = text.outcome else { return [] }
    return wrapped(outcome.text, columns: columns).prefix(4).map {
      [painter.segment(String($0), outcome.role)]
    }
  }

  /// The columns of the list: as wide as what is in them, so that reasons have the rest.
  private struct Widths {
    let name: Int
    let figure: Int

    init(_ lines: [ExportText.Line], columns: Int) {
      let longest = lines.map { displayWidth(of: $0.name) }.max() ?? 0
      name = min(longest + 3, max(columns / 2, 16))
      figure = min((lines.map { displayWidth(of: $0.figure) }.max() ?? 0) + 2, 24)
    }
  }

  private func segments(
    _ line: ExportText.Line, _ widths: Widths, _ painter: Painter
  ) -> [Segment] {
    let isFile = line.text.isEmpty
    let figure = painter.fit(line.figure, widths.figure, isFile ? .trailing : .leading)
    return [
      painter.segment(painter.fit("  " + line.name, widths.name) + " "),
      painter.segment(figure, isFile ? .dim : .key),
      painter.segment(isFile ? "" : line.text, .dim),
    ]
  }
}
