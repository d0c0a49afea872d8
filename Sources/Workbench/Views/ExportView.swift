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
    put([painter.segment(text.heading.text, text.heading.role)], row: 4)
    let end = endLines(text, columns: inside.columns, painter)
    let height = max(0, inside.rows - 5 - max(1, end.count) - 1)
    let lines = text.list.dropFirst(state.export.top).prefix(height)
    for (offset, line) in lines.enumerated() {
      put(segments(line, columns: inside.columns, painter), row: 5 + offset)
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

  private func segments(
    _ line: ExportText.Line, columns: Int, _ painter: Painter
  ) -> [Segment] {
    if line.text.isEmpty {
      let width = min(48, columns - 16)
      return [
        painter.segment(painter.fit("  " + line.name, width)),
        painter.segment(painter.fit(line.figure, 14, .trailing), .dim),
      ]
    }
    let width = min(40, columns / 2)
    return [
      painter.segment(painter.fit("  " + line.name, width) + " "),
      painter.segment(painter.fit(line.figure, 18) + " ", .key),
      painter.segment(line.text, .dim),
    ]
  }
}
