import Sessions
import Terminal

/// Whatever lies over the screen.
struct OverlayView {
  let state: AppState

  func draw(on painter: inout Painter) {
    guard let overlay = state.overlay,
      let layout = OverlayLayout(state, size: painter.frame.size)
    else { return }
    painter.frame.showsCursor = false
    switch overlay {
    case .help(let page): HelpView(keys: state.keys, page: page).draw(on: &painter)
    case .palette(let palette):
      PaletteView(keys: state.keys, palette: palette).draw(layout, on: &painter)
    case .themes(let selected, _): drawThemes(selected, layout, on: &painter)
    case .confirmation(let confirmation): draw(confirmation, layout, on: &painter)
    case .evaluation: drawEvaluation(layout, on: &painter)
    case .export: ExportView(state: state).draw(layout, on: &painter)
    }
    painter.isPopup = false
  }

  private func drawThemes(_ selected: Int, _ layout: OverlayLayout, on painter: inout Painter) {
    painter.openPopup(layout.rect, title: "Theme", hint: "Enter takes, Esc goes back")
    for (offset, rect) in layout.items.enumerated() {
      let index = offset + layout.firstItem
      let isAutomatic = index == 0
      painter.put(
        [
          painter.segment(state.themeChoices[index]),
          painter.segment(isAutomatic ? "   as the terminal's ground" : "", .dim),
        ], at: Point(column: rect.column + 1, row: rect.row), maxColumns: rect.columns - 2)
      if index == selected { painter.select(rect) }
    }
  }

  private func draw(
    _ confirmation: Confirmation, _ layout: OverlayLayout, on painter: inout Painter
  ) {
    painter.openPopup(layout.rect, title: confirmation.title)
    let inside = layout.rect.inset(columns: 3, rows: 1)
    painter.put(
      confirmation.question, .strong, at: inside.origin, maxColumns: inside.columns)
    let choices =
      confirmation.choices.map { (String($0.key), $0.label) } + [("Esc", confirmation.escape)]
    for (rect, choice) in zip(layout.items, choices) {
      painter.put(
        [painter.segment(painter.fit(choice.0, 4), .key), painter.segment(choice.1)],
        at: Point(column: rect.column + 1, row: rect.row), maxColumns: rect.columns - 2)
    }
  }

  private func drawEvaluation(_ layout: OverlayLayout, on painter: inout Painter) {
    guard let evaluation = state.evaluation else { return }
    painter.openPopup(layout.rect, title: "Evaluation", hint: "Esc closes")
    let inside = layout.rect.inset(columns: 3, rows: 1)
    let isCurrent = state.isEvaluationCurrent
    painter.put(
      [
        painter.segment(evaluation.textPath, .dim),
        painter.segment(isCurrent ? "" : "  measured under another plan", .warn),
      ], at: inside.origin, maxColumns: inside.columns)
    let rows = EvaluationText(evaluation.result, glyphs: state.glyphs).rows
    for (offset, row) in rows.prefix(max(0, inside.rows - 2)).enumerated() {
      painter.put(
        [painter.segment(painter.fit(row.name, 24), .dim), painter.segment(row.value)],
        at: Point(column: inside.column, row: inside.row + 2 + offset), maxColumns: inside.columns)
    }
  }
}

/// Commands that fit a few letters.
private struct PaletteView {
  let keys: KeyTable
  let palette: Palette

  func draw(_ layout: OverlayLayout, on painter: inout Painter) {
    painter.openPopup(layout.rect, title: "Commands", hint: "Enter runs, Esc closes")
    if let input = layout.input {
      painter.put(
        "> ", .focus, at: Point(column: input.column + 1, row: input.row), maxColumns: 2)
      EditorView(editor: palette.editor, isFocused: true, role: .popup)
        .draw(in: input.splitLeft(3).rest, on: &painter)
    }
    let rows = PaletteMatches(keys: keys, text: palette.editor.text).rows
    for (offset, rect) in layout.items.enumerated() {
      let index = offset + layout.firstItem
      guard rows.indices.contains(index) else { break }
      let entry = rows[index]
      painter.put(
        [
          painter.segment(painter.fit(entry.action.rawValue, 18), .strong),
          painter.segment(painter.fit(entry.keyNames, 10), .key),
          painter.segment(entry.help),
        ], at: Point(column: rect.column + 1, row: rect.row), maxColumns: rect.columns - 2)
      if index == palette.selected { painter.select(rect) }
    }
    if rows.isEmpty, let input = layout.input {
      painter.put(
        "No command fits", .dim, at: Point(column: input.column + 1, row: input.row + 2),
        maxColumns: input.columns - 2)
    }
  }
}

extension Painter {
  /// Shows a row as selected.
  mutating func select(_ rect: Rect) {
    let styles = styles
    frame.restyle(rect) { $0 = styles.selected($0) }
  }
}
