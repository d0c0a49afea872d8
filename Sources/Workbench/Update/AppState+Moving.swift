import Checkpoints
import Compression
import Terminal

extension AppState {
  /// Moves in whatever has the keyboard.
  mutating func move(_ action: Action) -> [Effect] {
    switch action {
    case .back: return stepBack()
    case .enter: return enter()
    case .nextPane: focusNext(by: 1)
    case .previousPane: focusNext(by: -1)
    case .left: sideways(-1)
    case .right: sideways(1)
    case .up: return move(by: -1)
    case .down: return move(by: 1)
    case .top: return move(by: -Self.far)
    case .bottom: return move(by: Self.far)
    case .pageUp: return page(-1, half: false)
    case .pageDown: return page(1, half: false)
    case .halfPageUp: return page(-1, half: true)
    case .halfPageDown: return page(1, half: true)
    default: break
    }
    return []
  }

  /// Further than any list is long.
  private static let far = 1 << 30

  private mutating func move(by distance: Int) -> [Effect] {
    switch overlay {
    case .help(let page):
      changeHelp(page) { $0.top += distance }
      return []
    case .palette(var palette):
      let count = PaletteMatches(keys: keys, text: palette.editor.text).rows.count
      palette.selected = max(0, min(palette.selected + distance, count - 1))
      overlay = .palette(palette)
      return []
    case .themes(let selected, let before):
      pickTheme(at: selected + distance, before: before)
      return []
    case .confirmation, .evaluation, .export: return []
    case nil: break
    }
    if line != nil { return moveInLine(by: distance) }
    switch screen {
    case .layers: break
    case .chat:
      moveInChat(by: distance)
      return []
    case .budget:
      moveInBudget(by: distance)
      return []
    case .compare:
      moveInCompare(by: distance)
      return []
    case .history:
      moveInHistory(by: distance)
      return []
    case .start:
      start.moveCursor(by: distance)
      return []
    case .hardware:
      moveInHardware(by: distance)
      return []
    case .jobs:
      jobs.moveCursor(by: distance)
      return []
    }
    switch pane {
    case .table where matrix != nil: moveInMatrix(rows: distance)
    case .table: table.move(by: distance)
    case .inspector:
      if inspector.tab == .channels, let layer = inspectedLayer, let model {
        let count = model.reports[layer]?.worstChannels.count ?? 0
        inspector.top = max(0, min(inspector.top + distance, count - 1))
      } else {
        table.move(by: distance)
      }
    case .prompt: moveInPrompt(by: distance)
    }
    return []
  }

  private mutating func page(_ direction: Int, half: Bool) -> [Effect] {
    let layout = ScreenLayout(self, size: size)
    if overlay == nil, line == nil,
      isPrompting || screen == .chat && (reading.view == .answers || reading.view == .tokens)
    {
      scrollPrompt(by: -direction * max(1, size.rows / 6))
      return []
    }
    if overlay == nil, line == nil, screen == .compare || screen == .history {
      let count = screen == .compare ? compared.count : evaluations.all.count
      let detail = CompareLayout(body: layout.body, count: count).detail
      let lines = direction * max(1, half ? detail.rows / 2 : detail.rows - 1)
      if screen == .compare { scrollCompare(by: lines) } else { scrollHistory(by: lines) }
      return []
    }
    if overlay == nil, line == nil, screen == .hardware {
      let layout = HardwareLayout(body: layout.body, count: hardware.rowCount)
      scrollHardware(by: direction * max(1, half ? layout.detail.rows / 2 : layout.detail.rows - 1))
      return []
    }
    let height = overlay == nil && screen == .layers ? layout.tableRows.rows : layout.body.rows - 4
    let step = half ? height / 2 : height - 1
    return move(by: direction * max(1, step))
  }

  /// Scrolls the answers towards their beginning (positive) or end.
  mutating func scrollPrompt(by lines: Int) {
    let layout = PromptLayout(inside: conversationPlace, conversation: conversation)
    let longest =
      layout.groups.map { max(0, Transcript(self, $0).rows.count - $0.text.rows) }.max() ?? 0
    conversation.scroll = max(0, min(conversation.scroll + lines, longest))
  }

  private mutating func sideways(_ direction: Int) {
    guard screen == .layers else { return }
    if pane == .inspector {
      inspector.step(by: direction)
      return
    }
    guard let model else { return }
    if matrix != nil {
      moveInMatrix(columns: direction)
      return
    }
    switch table.row {
    case .block(let block): table.fold(block, direction < 0, in: model)
    case .layer(let index) where direction < 0:
      // To the heading, from where the next press folds.
      guard table.order == .natural, let block = model.layers[index].block else { return }
      if let place = table.rows.firstIndex(of: .block(block)) { table.move(to: place) }
    default: break
    }
  }

  private mutating func enter() -> [Effect] {
    if screen == .start { return openChosenModel() }
    if screen == .chat { return enterChat() }
    guard let model, case .block(let block)? = table.row, pane == .table else {
      if table.row != nil { focus(pane == .table ? .inspector : .table) }
      return []
    }
    table.fold(block, table.isUnfolded(block), in: model)
    return []
  }

  mutating func focus(_ pane: Pane) {
    self.pane = pane
    if pane != .table { lowerPane = pane }
  }

  private mutating func focusNext(by distance: Int) {
    switch screen {
    case .layers: break
    case .chat:
      _ = showView(nil)
      return
    case .budget:
      budget.show(budget.list == .changes ? .schemes : .changes)
      return
    case .compare:
      snapshots.tab = snapshots.tab == .layers ? .answers : .layers
      snapshots.scroll = 0
      return
    case .start, .history, .hardware, .jobs: screen = .layers
    }
    let count = Pane.allCases.count
    if let next = Pane(rawValue: (pane.rawValue + distance + count) % count) { focus(next) }
  }

  /// Closes, unmarks or leaves one thing; it never quits.
  private mutating func stepBack() -> [Effect] {
    if let overlay {
      if case .themes(_, let before) = overlay { showTheme(at: before) }
      if case .help(let page) = overlay { stepBack(in: page) } else { self.overlay = nil }
      return []
    }
    if line != nil { return closeLine() }
    if screen == .chat, !reading.isBrowsing {
      reading.isBrowsing = true
    } else if screen == .chat, reading.view == .blocks, reading.dropPicks() {
      return []
    } else if screen == .compare, !snapshots.picked.isEmpty {
      for row in snapshots.picked { snapshots.pick(row) }
    } else if screen != .layers {
      // Without a model there is nothing else to see.
      if screen != .start || model != nil { screen = .layers }
    } else if pane != .table {
      focus(.table)
    } else if table.anchor != nil {
      table.dropRange()
    } else if !table.marks.isEmpty {
      table.marks = []
    } else if !table.filter.isEmpty, let model {
      table.show(LayerFilter(""), of: model)
    }
    return []
  }
}
