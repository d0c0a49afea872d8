import Terminal

/// The border of a pane with what stands in it: a title or tabs on the left, a note on the right.
struct PaneBox {
  let state: AppState
  let slot: PaneSlot
  /// Stands where there are no tabs.
  var title: [Segment] = []
  /// Stands at the right end of the upper border, if there is room.
  var note: [Segment] = []

  private var isFocused: Bool { state.pane == slot.shown && state.screen == .layers }

  func draw(on painter: inout Painter) {
    let rect = slot.rect
    painter.frame.drawBox(
      rect, style: painter.style(isFocused ? .focus : .border), glyphs: state.glyphs.box)
    var end = rect.column + 2
    if slot.panes.count > 1 {
      for (pane, tab) in zip(slot.panes, slot.tabs.tabs) {
        let role: ThemeRole = pane != slot.shown ? .dim : isFocused ? .focus : .strong
        let label = pane == slot.shown ? "[\(tab.label)]" : " \(tab.label) "
        painter.put(label, role, at: tab.rect.origin, maxColumns: tab.rect.columns)
      }
      end = slot.tabs.endColumn
    } else if !title.isEmpty {
      let segments = [painter.segment(" ")] + title + [painter.segment(" ")]
      end += painter.put(
        segments, at: Point(column: end - 1, row: rect.row), maxColumns: rect.columns - 4)
    }
    guard !note.isEmpty else { return }
    let segments = [painter.segment(" ")] + note + [painter.segment(" ")]
    painter.put(
      segments, endingAt: rect.endColumn - 2, row: rect.row, maxColumns: rect.endColumn - end - 4)
  }

  /// The role of the title's text.
  var titleRole: ThemeRole { isFocused ? .focus : .strong }
}
