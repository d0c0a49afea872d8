import Terminal

/// The start screen: the models that can be opened, by where they are.
struct StartView {
  let state: AppState

  func draw(in body: Rect, on painter: inout Painter) {
    let layout = StartLayout(body: body)
    painter.frame.drawBox(
      layout.box, style: painter.style(.focus), glyphs: state.glyphs.box, title: "Models",
      titleStyle: painter.style(.focus))
    drawNote(in: layout.box, on: &painter)
    let start = state.start
    guard !start.entries.isEmpty else {
      let lines =
        start.isLooking
        ? ["Looking for models\(state.glyphs.ellipsis)"]
        : [
          "No model was found in the caches of Hugging Face, Ollama, llama.cpp and LM Studio.",
          "o opens a path: a Hugging Face directory or a GGUF file.",
        ]
      for (offset, line) in lines.enumerated() {
        painter.put(
          line, .dim, at: Point(column: layout.rows.column + 2, row: layout.rows.row + 1 + offset),
          maxColumns: layout.rows.columns - 4)
      }
      return
    }
    let nameWidth = min(max(layout.rows.columns / 2, 30), 64)
    let rows = start.rows.map { row -> [Segment] in
      switch row {
      case .heading(let group): return [painter.segment(group.title, .focus)]
      case .entry(let place):
        let entry = start.entries[place]
        let size = entry.bytes.map { Figures.totalBytes($0) } ?? ""
        let plan = entry.planPath.map { "plan \($0)   " } ?? ""
        return [
          painter.segment("  " + painter.fit(entry.name, nameWidth), .strong),
          painter.segment("  " + painter.fit(size, 9, .trailing) + "   "),
          painter.segment(plan), painter.segment(short(entry.note), .dim),
        ]
      }
    }
    ListView(rows: rows, cursor: start.cursorRow, isFocused: true)
      .draw(in: layout.rows, on: &painter)
  }

  private func drawNote(in box: Rect, on painter: inout Painter) {
    let count = state.start.entries.count
    let found = count == 1 ? "1 model" : "\(count) models"
    let note = state.start.isLooking ? "looking\(state.glyphs.ellipsis) \(found)" : found
    painter.put(
      [painter.segment(" \(note) ", .dim)], endingAt: box.endColumn - 2, row: box.row,
      maxColumns: box.columns - 14)
  }

  /// The path with the home directory as `~`.
  private func short(_ path: String) -> String {
    guard let home = state.homeDirectory, path.hasPrefix(home + "/") else { return path }
    return "~" + path.dropFirst(home.count)
  }
}
