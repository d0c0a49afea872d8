import Terminal

/// All keys and commands, or those that a search finds.
struct HelpView {
  let keys: KeyTable
  let page: HelpPage

  func draw(on painter: inout Painter) {
    let help = HelpText(keys: keys, searching: page.editor.text, size: painter.frame.size)
    let isSearched = page.isTyping || !page.editor.text.isEmpty
    painter.openPopup(
      help.rect, title: "Keys",
      hint: isSearched ? "Esc shows all" : "j k scroll, / searches, Esc closes")
    if isSearched { drawSearch(help, on: &painter) }
    let inside = help.inside
    for (offset, line) in help.lines.dropFirst(page.top).prefix(inside.rows).enumerated() {
      let point = Point(column: inside.column, row: inside.row + offset)
      switch line {
      case .blank: break
      case .heading(let title):
        painter.put(title, .focus, at: point, maxColumns: inside.columns)
      case .note(let text):
        painter.put("  " + text, at: point, maxColumns: inside.columns)
      case .entry(let keys, let command, let text):
        painter.put(
          [
            painter.segment("  " + painter.fit(keys, help.keyWidth), .key),
            painter.segment(painter.fit(command, help.commandWidth), .dim),
            painter.segment(text),
          ], at: point, maxColumns: inside.columns)
      }
    }
    if help.lines.isEmpty {
      painter.put(
        "Nothing has \(page.editor.text)", .dim, at: inside.origin, maxColumns: inside.columns)
    }
  }

  /// What is searched for, in the border.
  private func drawSearch(_ help: HelpText, on painter: inout Painter) {
    let (column, row) = (help.rect.column + 9, help.rect.row)
    let room = max(2, help.rect.columns - 12)
    painter.put(" /", .focus, at: Point(column: column, row: row), maxColumns: 2)
    let width = min(room - 2, displayWidth(of: page.editor.text) + 2)
    painter.put(
      String(repeating: " ", count: width), at: Point(column: column + 2, row: row),
      maxColumns: width)
    EditorView(editor: page.editor, isFocused: page.isTyping, role: .popup)
      .draw(in: Rect(column: column + 2, row: row, columns: width, rows: 1), on: &painter)
  }
}
