import Terminal

/// Where words in a row are, such as the tabs in a title: `[weights]  error   channels`.
struct TabStrip: Hashable, Sendable {
  struct Tab: Hashable, Sendable {
    let label: String
    let rect: Rect
  }

  let tabs: [Tab]

  /// Labels from left to right, each with a cell before and after it.
  init(_ labels: [String], at point: Point, maxColumns: Int, gap: Int = 0) {
    var column = point.column
    var tabs: [Tab] = []
    for label in labels {
      let width = displayWidth(of: label) + 2
      guard column + width <= point.column + maxColumns else { break }
      tabs.append(
        Tab(label: label, rect: Rect(column: column, row: point.row, columns: width, rows: 1)))
      column += width + gap
    }
    self.tabs = tabs
  }

  /// The index of the tab at a place.
  func index(at point: Point) -> Int? {
    tabs.firstIndex { $0.rect.contains(point) }
  }

  var endColumn: Int { tabs.last?.rect.endColumn ?? 0 }
}

extension PaneSlot {
  /// The tabs in the title of a place that several panes share.
  var tabs: TabStrip {
    TabStrip(
      panes.map(\.title), at: Point(column: rect.column + 1, row: rect.row),
      maxColumns: rect.columns - 2, gap: 1)
  }
}

extension Pane {
  var title: String {
    switch self {
    case .table: "Layers"
    case .inspector: "Inspector"
    case .prompt: "Prompt"
    }
  }
}
