import Engine
import Terminal

/// The Chat screen: the conversation, and below it what is known of its answers.
struct ChatView {
  let state: AppState

  private var reading: ReadingState { state.reading }

  func draw(in body: Rect, on painter: inout Painter) {
    let layout = ChatLayout(body: body, view: reading.view)
    drawConversation(layout, on: &painter)
    guard let detail = layout.detail else { return }
    painter.frame.drawBox(
      detail, style: painter.style(reading.isBrowsing ? .focus : .border),
      glyphs: state.glyphs.box)
    let place = Rect(
      column: layout.inside.column + 1, row: layout.inside.row,
      columns: layout.inside.columns - 2, rows: layout.inside.rows)
    switch reading.view {
    case .answers: break
    case .tokens: TokenView(state: state).draw(in: place, on: &painter)
    case .blocks: BlockPartingView(state: state).draw(layout, in: place, on: &painter)
    case .prompts: PromptBatchView(state: state).draw(layout, in: place, on: &painter)
    }
  }

  private func drawConversation(_ layout: ChatLayout, on painter: inout Painter) {
    let isFocused = !reading.isBrowsing || reading.view == .answers
    let rect = layout.conversation
    painter.frame.drawBox(
      rect, style: painter.style(isFocused ? .focus : .border), glyphs: state.glyphs.box)
    for (view, tab) in zip(ReadingState.View.allCases, layout.tabs.tabs) {
      let isShown = view == reading.view
      painter.put(
        isShown ? "[\(tab.label)]" : " \(tab.label) ", isShown ? .focus : .dim,
        at: tab.rect.origin, maxColumns: tab.rect.columns)
    }
    let prompt = PromptView(state: state)
    let note = prompt.note(painter)
    let title = note.isEmpty ? [painter.segment(prompt.settings, .dim)] : note
    painter.put(
      [painter.segment(" ")] + title + [painter.segment(" ")], endingAt: rect.endColumn - 2,
      row: rect.row, maxColumns: rect.endColumn - layout.tabs.endColumn - 4)
    prompt.drawInside(rect.inset(), on: &painter)
  }
}
