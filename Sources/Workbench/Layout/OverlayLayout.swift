import Terminal

/// Where an overlay is, and where what can be clicked in it is.
struct OverlayLayout: Hashable, Sendable {
  let rect: Rect
  /// Rows of a list, or the choices of a question; one rectangle each.
  let items: [Rect]
  /// Index of the first item that is shown.
  let firstItem: Int
  /// The palette's input.
  let input: Rect?

  init?(_ state: AppState, size: Size) {
    let screen = Rect(size)
    switch state.overlay {
    case nil: return nil
    case .help:
      rect = HelpText(keys: state.keys, size: size).rect
      (items, firstItem, input) = ([], 0, nil)
    case .palette(let palette):
      let count = PaletteMatches(keys: state.keys, text: palette.editor.text).rows.count
      let wanted = Size(columns: min(104, size.columns - 4), rows: min(20, size.rows - 4))
      let box = screen.centered(wanted)
      let (input, list) = box.inset().splitTop(1)
      self.input = input
      rect = box
      let rows = list.splitTop(1).rest
      firstItem = Self.first(selected: palette.selected, count: count, height: rows.rows)
      items = Self.rows(in: rows, count: count - firstItem)
    case .themes(let selected, _):
      let count = state.themeChoices.count
      rect = screen.centered(
        Size(columns: min(44, size.columns - 4), rows: min(count + 2, size.rows - 4)))
      let rows = rect.inset()
      firstItem = Self.first(selected: selected, count: count, height: rows.rows)
      items = Self.rows(in: rows, count: count - firstItem)
      input = nil
    case .confirmation(let confirmation):
      let widest =
        (confirmation.choices.map { $0.label.count + 4 } + [confirmation.question.count])
        .max() ?? 0
      rect = screen.centered(
        Size(columns: min(widest + 6, size.columns - 2), rows: confirmation.choices.count + 5))
      let rows = rect.inset(columns: 2, rows: 1).splitTop(2).rest
      items = Self.rows(in: rows, count: confirmation.choices.count + 1)
      (firstItem, input) = (0, nil)
    case .evaluation:
      rect = screen.centered(Size(columns: min(64, size.columns - 4), rows: 14))
      (items, firstItem, input) = ([], 0, nil)
    case .export:
      // As high as its list; one that is asked for and not there yet is taken for a short one.
      let wanted = min(max(ExportText(state).list.count + 12, 16), 26)
      rect = screen.centered(
        Size(columns: min(108, size.columns - 2), rows: min(wanted, size.rows - 2)))
      let inside = rect.inset(columns: 2, rows: 1)
      items = TabStrip(
        ExportChoice.all.map(\.name), at: inside.origin, maxColumns: inside.columns
      ).tabs.map(\.rect)
      (firstItem, input) = (0, nil)
    }
  }

  private static func rows(in rect: Rect, count: Int) -> [Rect] {
    (0..<max(0, min(count, rect.rows))).map {
      Rect(column: rect.column, row: rect.row + $0, columns: rect.columns, rows: 1)
    }
  }

  /// The first row shown when the selected one must be.
  private static func first(selected: Int, count: Int, height: Int) -> Int {
    max(0, min(selected - height / 2, count - height))
  }
}
