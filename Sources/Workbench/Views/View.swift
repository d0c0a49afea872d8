import Terminal

/// Draws the state on a screen of that size.
///
/// A pure function: the same state and size always give the same frame.
func view(_ state: AppState, size: Size) -> Frame {
  var painter = Painter(
    size: size, styles: state.theme.palette(at: state.depth), glyphs: state.glyphs)
  let layout = ScreenLayout(state, size: size)
  if layout.fits {
    ScreenView(state: state, layout: layout).draw(on: &painter)
  } else {
    TooSmallView().draw(on: &painter)
  }
  return painter.frame
}

/// Everything on a screen that is large enough.
private struct ScreenView {
  let state: AppState
  let layout: ScreenLayout

  func draw(on painter: inout Painter) {
    HeaderView(state: state).draw(in: layout.header, on: &painter)
    GaugeView(state: state).draw(in: layout.gauge, on: &painter)
    switch state.screen {
    case .layers: for slot in layout.slots { draw(slot, on: &painter) }
    case .chat: ChatView(state: state).draw(in: layout.body, on: &painter)
    case .budget: BudgetView(state: state).draw(in: layout.body, on: &painter)
    case .compare: CompareView(state: state).draw(in: layout.body, on: &painter)
    case .history: HistoryView(state: state).draw(in: layout.body, on: &painter)
    case .start: StartView(state: state).draw(in: layout.body, on: &painter)
    case .hardware: HardwareView(state: state).draw(in: layout.body, on: &painter)
    case .jobs: JobsView(state: state).draw(in: layout.body, on: &painter)
    }
    StatusView(state: state).draw(in: layout.status, on: &painter)
    FooterView(state: state).draw(in: layout.footer, on: &painter)
    CompletionView(state: state).draw(above: layout.status, on: &painter)
    OverlayView(state: state).draw(on: &painter)
  }

  private func draw(_ slot: PaneSlot, on painter: inout Painter) {
    switch slot.shown {
    case .table: TableView(state: state).draw(in: slot, on: &painter)
    case .inspector: InspectorView(state: state).draw(in: slot, on: &painter)
    case .prompt: PromptView(state: state).draw(in: slot, on: &painter)
    }
  }
}

/// What a screen shows that is smaller than the least.
private struct TooSmallView {
  func draw(on painter: inout Painter) {
    let size = painter.frame.size
    let least = ScreenLayout.minimum
    let lines = [
      "vise needs \(least.columns)x\(least.rows)", "this is \(size.columns)x\(size.rows)",
    ]
    for (index, line) in lines.enumerated() {
      let column = max(0, (size.columns - displayWidth(of: line)) / 2)
      let row = max(0, (size.rows - lines.count) / 2) + index
      painter.put(
        line, index == 0 ? .strong : .dim, at: Point(column: column, row: row),
        maxColumns: size.columns)
    }
  }
}
