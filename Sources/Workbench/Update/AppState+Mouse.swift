import Engine
import Terminal

extension AppState {
  /// Does what a click or the wheel means where the pointer is.
  mutating func take(_ event: MouseEvent) -> [Effect] {
    switch (event.action, event.button) {
    case (.press, .left):
      notice = nil
      pendingPress = nil
      isCancelArmed = false
      return click(event.point)
    case (.drag, _) where budget.isDragging: return dragBudget(to: event.point)
    case (.release, _):
      budget.isDragging = false
      return []
    case (.wheelUp, _): return wheel(-1, at: event.point)
    case (.wheelDown, _): return wheel(1, at: event.point)
    default: return []
    }
  }

  private mutating func click(_ point: Point) -> [Effect] {
    let hit = hit(point)
    if overlay != nil { return clickOverlay(hit) }
    if case .line(let column) = hit {
      line?.editor.moveCaret(toColumn: column)
      return []
    }
    if case .footer(let entry) = hit { return perform(entry.clicked) }
    if hit == .brand { return perform(Command(.palette)) }
    // A click elsewhere leaves the line; what a filter shows stays.
    line = nil
    switch hit {
    case .tableRow(let row, let isMark): clickRow(row, isMark: isMark)
    case .matrixCell(let layer):
      let wasUnderCursor = pane == .table && inspectedLayer == layer
      focus(.table)
      moveInMatrix(to: layer)
      if wasUnderCursor, let model, let row = table.row { table.toggleMark(of: row, in: model) }
    case .tableHeading(let column):
      focus(.table)
      if let order = column?.facts.order { return perform(Command(.sort, order.rawValue)) }
      if table.order != .natural { return perform(Command(.sort, SortOrder.natural.rawValue)) }
    case .paneTab(let pane), .pane(let pane): focus(pane)
    case .inspectorTab(let tab):
      focus(.inspector)
      inspector.tab = tab
    case .promptInput(let caret):
      if screen == .chat { reading.isBrowsing = false } else { focus(.prompt) }
      conversation.editor.moveCaret(to: caret)
    case .answerToken(let side, let token): return look(at: token, of: side)
    case .chatTab(let view): return perform(Command(.view, view.rawValue))
    case .chatRow(let row): return clickChatRow(row)
    case .frontier:
      budget.isDragging = true
      return dragBudget(to: point)
    case .budgetTab(let list): budget.show(list)
    case .budgetRow(let row):
      let wasUnderCursor = budget.cursor == row
      budget.cursor = row
      if wasUnderCursor, budget.list == .schemes { return perform(Command(.mark)) }
    case .snapshotRow(let row): moveInCompare(by: row - snapshots.cursor)
    case .compareTab(let tab): (snapshots.tab, snapshots.scroll) = (tab, 0)
    case .historyRow(let row): moveInHistory(by: row - evaluations.cursor)
    case .modelRow(let entry):
      let wasUnderCursor = start.cursor == entry
      start.moveCursor(by: entry - start.cursor)
      if wasUnderCursor { return openChosenModel() }
    case .machineRow(let row): moveInHardware(by: row - hardware.cursor)
    case .jobRow(let row): jobs.moveCursor(by: row - jobs.cursor)
    default: break
    }
    return []
  }

  /// Sets the budget to the bytes that the plot's column stands for.
  private mutating func dragBudget(to point: Point) -> [Effect] {
    guard screen == .budget, let axes = FrontierAxes(self) else { return [] }
    let layout = BudgetLayout(body: ScreenLayout(self, size: size).body)
    guard let range = budgetRange else { return [] }
    let bytes = axes.bytes(atColumn: point.column, in: layout.plot)
    let target = BudgetTarget.bytes(min(max(bytes, range.lowerBound), range.upperBound))
    return target == budget.target ? [] : solve(for: target)
  }

  /// Selects the row; a second click on a block folds it, one on the margin marks.
  private mutating func clickRow(_ row: Int, isMark: Bool) {
    guard let model else { return }
    let wasUnderCursor = pane == .table && table.cursor == row
    focus(.table)
    table.move(to: row)
    if isMark {
      table.toggleMark(of: table.rows[row], in: model)
    } else if wasUnderCursor, case .block(let block) = table.rows[row] {
      table.fold(block, table.isUnfolded(block), in: model)
    }
  }

  private mutating func clickOverlay(_ hit: Hit) -> [Effect] {
    switch (overlay, hit) {
    case (.palette(var palette), .overlayItem(let item)):
      palette.selected = item
      overlay = .palette(palette)
      return perform(Command(.accept))
    case (.themes(_, let before), .overlayItem(let item)):
      pickTheme(at: item, before: before)
    case (.confirmation(let confirmation), .overlayItem(let item)):
      guard confirmation.choices.indices.contains(item) else { return perform(Command(.back)) }
      return choose(confirmation.choices[item])
    case (.export, .overlayItem(let item)): return chooseExport(item)
    case (_, .besideOverlay), (.evaluation, _): return perform(Command(.back))
    default: break
    }
    return []
  }

  /// Lines that one step of the wheel scrolls.
  private static let wheelStep = 3

  private mutating func wheel(_ direction: Int, at point: Point) -> [Effect] {
    let distance = direction * Self.wheelStep
    if case .help(let page) = overlay {
      changeHelp(page) { $0.top += distance }
      return []
    }
    if overlay != nil { return perform(Command(direction < 0 ? .up : .down)) }
    switch screen {
    case .layers: break
    case .chat:
      let place = ChatLayout(body: ScreenLayout(self, size: size).body, view: reading.view)
      if place.detail?.contains(point) != true {
        scrollPrompt(by: -distance)
      } else {
        reading.isBrowsing = true
        moveInChat(by: direction)
      }
      return []
    case .start, .budget, .jobs: return move(direction < 0 ? .up : .down)
    case .compare:
      scrollCompare(by: distance)
      return []
    case .history:
      scrollHistory(by: distance)
      return []
    case .hardware:
      let layout = HardwareLayout(
        body: ScreenLayout(self, size: size).body, count: hardware.rowCount)
      if layout.listBox.contains(point) { return move(direction < 0 ? .up : .down) }
      scrollHardware(by: distance)
      return []
    }
    switch hit(point) {
    case .matrixCell,
      .pane(.table) where matrix != nil:
      moveInMatrix(rows: direction)
    case .tableRow, .tableHeading, .pane(.table):
      table.scroll(by: distance, height: ScreenLayout(self, size: size).tableRows.rows)
    case .pane(.prompt), .promptInput: scrollPrompt(by: -distance)
    case .pane(.inspector) where inspector.tab == .channels:
      inspector.top = max(0, inspector.top + direction)
    default: break
    }
    return []
  }
}

extension KeyEntry {
  /// What a click on its footer label does: its key's command, or, of several, to ask which.
  var clicked: Command {
    bindings.count == 1 || bindings[0].argument == nil ? command(0) : Command(action)
  }
}
