import Compression
import Engine
import Terminal

/// What is under a place of the screen.
enum Hit: Hashable, Sendable {
  /// The program's name, which opens the palette.
  case brand
  /// An item of the overlay, by its index in the whole list.
  case overlayItem(Int)
  case overlay
  case besideOverlay
  case footer(KeyEntry)
  /// The text of the input line, at this column of it.
  case line(column: Int)
  case tableRow(Int, isMark: Bool)
  case tableHeading(TableColumn?)
  /// The layer of a cell of the matrix.
  case matrixCell(Int)
  case paneTab(Pane)
  case inspectorTab(InspectorState.Tab)
  /// The prompt's text, before the character at this place.
  case promptInput(caret: Int)
  /// A token of a side's last answer.
  case answerToken(AnswerSide, Int)
  case chatTab(ReadingState.View)
  /// A row of the list on the Chat screen.
  case chatRow(Int)
  case pane(Pane)
  /// The plot of the Budget screen.
  case frontier
  case budgetTab(BudgetState.List)
  case budgetRow(Int)
  case snapshotRow(Int)
  case compareTab(SnapshotList.Tab)
  case historyRow(Int)
  /// An entry of the start screen.
  case modelRow(Int)
  case machineRow(Int)
  case jobRow(Int)
  case nothing
}

extension AppState {
  /// Looks a place up in the same layout that views draw by.
  func hit(_ point: Point) -> Hit {
    let layout = ScreenLayout(self, size: size)
    if let overlay = OverlayLayout(self, size: size) {
      if let item = overlay.items.firstIndex(where: { $0.contains(point) }) {
        return .overlayItem(item + overlay.firstItem)
      }
      return overlay.rect.contains(point) ? .overlay : .besideOverlay
    }
    guard layout.fits else { return .nothing }
    if point.row == layout.header.row, point.column <= HeaderView.brand.count {
      return .brand
    }
    if layout.footer.contains(point) {
      return Footer(self, in: layout.footer).items.first { $0.rect.contains(point) }
        .map { .footer($0.entry) } ?? .nothing
    }
    if layout.status.contains(point), let line {
      return .line(column: point.column - line.textColumn)
    }
    switch screen {
    case .layers: break
    case .budget: return hitBudget(point, in: BudgetLayout(body: layout.body))
    case .compare: return hitCompare(point, in: layout.body)
    case .history:
      return ListView.index(
        at: point, in: CompareLayout(body: layout.body, count: evaluations.all.count).rows,
        cursor: evaluations.cursor, count: evaluations.all.count
      ).map { .historyRow($0) } ?? .nothing
    case .start:
      let row = ListView.index(
        at: point, in: StartLayout(body: layout.body).rows, cursor: start.cursorRow,
        count: start.rows.count)
      guard let row, case .entry(let entry) = start.rows[row] else { return .nothing }
      return .modelRow(entry)
    case .hardware:
      let rows = HardwareLayout(body: layout.body, count: hardware.rowCount).rows
      return ListView.index(at: point, in: rows, cursor: hardware.cursor, count: hardware.rowCount)
        .map { .machineRow($0) } ?? .nothing
    case .chat: return hitChat(point, in: layout.body)
    case .jobs:
      let rows = JobsLayout(body: layout.body, hasLog: shownClusterJob != nil).list
        .inset(columns: 1, rows: 1)
      return ListView.index(at: point, in: rows, cursor: jobs.cursor, count: jobs.jobs.count)
        .map { .jobRow($0) } ?? .nothing
    }
    for slot in layout.slots where slot.rect.contains(point) {
      if slot.panes.count > 1, let tab = slot.tabs.index(at: point) {
        return .paneTab(slot.panes[tab])
      }
      return hit(point, in: slot)
    }
    return .nothing
  }

  private func hitBudget(_ point: Point, in layout: BudgetLayout) -> Hit {
    if layout.plot.contains(point) || layout.axis.contains(point) { return .frontier }
    if let tab = layout.tabs.index(at: point) { return .budgetTab(BudgetState.List.allCases[tab]) }
    let count = budget.list == .changes ? budgetChanges.count : budget.choices.schemes.count
    return ListView.index(at: point, in: layout.rows, cursor: budget.cursor, count: count)
      .map { .budgetRow($0) } ?? .nothing
  }

  private func hitCompare(_ point: Point, in body: Rect) -> Hit {
    let layout = CompareLayout(body: body, count: compared.count)
    if let tab = layout.tabs.index(at: point) {
      return .compareTab(SnapshotList.Tab.allCases[tab])
    }
    return ListView.index(
      at: point, in: layout.rows, cursor: snapshots.cursor, count: compared.count
    ).map { .snapshotRow($0) } ?? .nothing
  }

  private func hit(_ point: Point, in slot: PaneSlot) -> Hit {
    guard slot.inside.contains(point) else { return .pane(slot.shown) }
    switch slot.shown {
    case .table where matrix != nil:
      guard let model else { return .pane(.table) }
      let grid = MatrixGrid(model, of: table.matching)
      let cursor = inspectedLayer.flatMap { grid.place(of: $0) }
      let layout = MatrixLayout(inside: slot.inside, grid: grid, cursorRow: cursor?.row ?? 0)
      let place = layout.place(at: point, in: grid)
      return place.flatMap { grid.layer(row: $0.row, column: $0.column) }
        .map { .matrixCell($0) } ?? .pane(.table)
    case .table:
      let offset = point.column - slot.inside.column
      if point.row == slot.inside.row {
        return .tableHeading(tableColumns(in: slot).column(at: offset))
      }
      let row = point.row - slot.inside.row - 1 + table.top
      return table.rows.indices.contains(row)
        ? .tableRow(row, isMark: offset < TableColumns.margin) : .pane(.table)
    case .inspector:
      return inspectorTabs(in: slot.inside).index(at: point)
        .map { .inspectorTab(InspectorState.Tab.allCases[$0]) } ?? .pane(.inspector)
    case .prompt:
      return hitConversation(point, inside: slot.inside) ?? .pane(.prompt)
    }
  }

  /// The prompt's text, or a token of an answer.
  private func hitConversation(_ point: Point, inside: Rect) -> Hit? {
    let layout = PromptLayout(inside: inside, conversation: conversation)
    if layout.input.contains(point) {
      let row = layout.firstLine(showing: conversation.editor.caret) + point.row - layout.input.row
      return .promptInput(
        caret: layout.lines.caret(row: row, column: max(0, point.column - layout.field.column)))
    }
    for group in layout.groups where group.text.contains(point) {
      let transcript = Transcript(self, group)
      let first = transcript.first(height: group.text.rows, scroll: conversation.scroll)
      guard let side = group.firstIndex(where: { $0.text.contains(point) }),
        let token = transcript.token(
          row: first + point.row - group.text.row, column: point.column - group[side].text.column,
          ofSide: side)
      else { return nil }
      return .answerToken(group[side].side, token)
    }
    return nil
  }

  private func hitChat(_ point: Point, in body: Rect) -> Hit {
    let layout = ChatLayout(body: body, view: reading.view)
    if let tab = layout.tabs.index(at: point) { return .chatTab(ReadingState.View.allCases[tab]) }
    guard let detail = layout.detail, detail.contains(point) else {
      return hitConversation(point, inside: layout.conversation.inset()) ?? .pane(.prompt)
    }
    let (cursor, count): (Int, Int) =
      switch reading.view {
      case .blocks: (reading.blockCursor, reading.blocks.count)
      case .prompts: (batch.cursor, batch.exchanges.count)
      case .answers, .tokens: (0, 0)
      }
    return ListView.index(at: point, in: layout.rows, cursor: cursor, count: count)
      .map { .chatRow($0) } ?? .nothing
  }

  /// The columns of the table in a place.
  func tableColumns(in slot: PaneSlot) -> TableColumns {
    TableColumns(
      width: slot.inside.columns - 1, of: table.columns,
      hasSensitivity: model?.sensitivity.isEmpty == false,
      hasSparsity: model?.schemes.contains { $0.sparsity != nil } == true)
  }

  /// The tabs of the inspector, in the first row inside it.
  func inspectorTabs(in inside: Rect) -> TabStrip {
    TabStrip(
      InspectorState.Tab.allCases.map(\.rawValue),
      at: Point(column: inside.column + 1, row: inside.row), maxColumns: inside.columns - 2, gap: 1)
  }
}

extension InputLine {
  /// Columns before the text: a blank, the title, and what separates it.
  var textColumn: Int {
    switch purpose {
    case .command, .filter: 1 + displayWidth(of: title)
    case .argument: 3 + displayWidth(of: title)
    }
  }
}
