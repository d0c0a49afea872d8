import Terminal

/// A place on the screen that shows one of its panes.
struct PaneSlot: Hashable, Sendable {
  /// The panes that share the place; more than one get tabs.
  let panes: [Pane]
  let shown: Pane
  /// The place, border included.
  let rect: Rect

  /// The place inside the border.
  var inside: Rect { rect.inset() }
}

/// Where everything is for a size: views draw by it, and clicks are looked up in it.
struct ScreenLayout: Hashable, Sendable {
  /// The smallest screen that shows everything it must.
  static let minimum = Size(columns: 60, rows: 16)

  /// False below ``minimum``: there is only a message then.
  let fits: Bool
  let header: Rect
  let gauge: Rect
  let body: Rect
  let status: Rect
  let footer: Rect
  /// The panes' places; empty on other screens than Layers.
  let slots: [PaneSlot]

  init(_ state: AppState, size: Size) {
    fits = size.columns >= Self.minimum.columns && size.rows >= Self.minimum.rows
    var rest = Rect(size)
    (header, rest) = rest.splitTop(1)
    (gauge, rest) = rest.splitTop(1)
    (rest, footer) = rest.splitBottom(1)
    (body, status) = rest.splitBottom(1)
    slots = fits && state.screen == .layers ? Self.slots(state, in: body) : []
  }

  private static func slots(_ state: AppState, in body: Rect) -> [PaneSlot] {
    let lower = state.pane == .table ? state.lowerPane : state.pane
    func slot(_ panes: [Pane], _ shown: Pane, _ rect: Rect) -> PaneSlot {
      PaneSlot(panes: panes, shown: shown, rect: rect)
    }
    if body.columns >= 100 {
      let width = min(max(body.columns * 36 / 100, 42), 84)
      guard body.rows >= 26 else {
        let (left, right) = body.splitRight(width)
        return [slot([.table], .table, left), slot([.inspector, .prompt], lower, right)]
      }
      let share = state.pane == .prompt ? 44 : 32
      let (upper, bottom) = body.splitBottom(min(max(body.rows * share / 100, 9), 22))
      let (left, right) = upper.splitRight(width)
      return [
        slot([.table], .table, left), slot([.inspector], .inspector, right),
        slot([.prompt], .prompt, bottom),
      ]
    }
    if body.rows >= 36 {
      let (upper, bottom) = body.splitBottom(body.rows * 30 / 100)
      let (top, middle) = upper.splitBottom(body.rows * 30 / 100)
      return [
        slot([.table], .table, top), slot([.inspector], .inspector, middle),
        slot([.prompt], .prompt, bottom),
      ]
    }
    guard body.rows >= 16 else { return [slot(Pane.allCases, state.pane, body)] }
    let share = lower == .prompt ? 60 : 46
    let (top, bottom) = body.splitBottom(body.rows * share / 100)
    return [slot([.table], .table, top), slot([.inspector, .prompt], lower, bottom)]
  }

  /// The slot that shows a pane now; nil while it is hidden.
  func slot(showing pane: Pane) -> PaneSlot? { slots.first { $0.shown == pane } }

  /// Where the table's rows are, below the line of headings.
  var tableRows: Rect {
    guard let inside = slot(showing: .table)?.inside else { return Rect(Size(columns: 0, rows: 0)) }
    return inside.splitTop(1).rest
  }
}
