import Terminal

/// What the footer offers where the keyboard is now, and where each offer stands.
struct Footer: Hashable, Sendable {
  struct Item: Hashable, Sendable {
    let entry: KeyEntry
    let keys: String
    let label: String
    let rect: Rect
  }

  let items: [Item]

  init(_ state: AppState, in rect: Rect) {
    let entries = state.keys.footer(in: state.contexts).filter {
      // Behind the start screen there is nothing to go back to.
      state.model != nil || !$0.action.needsModel && $0.action != .back
    }
    var column = rect.column + 1
    var items: [Item] = []
    // Help comes first in rank and last in place, so that it is there however narrow the screen.
    let last = entries.first { $0.action == .help }
    let reserved = last.map { Self.width(of: $0) + 3 } ?? 0
    for entry in entries where entry != last {
      let width = Self.width(of: entry)
      guard column + width < rect.endColumn - reserved else { continue }
      items.append(Self.item(entry, column: column, row: rect.row))
      column += width + 2
    }
    if let last, rect.columns > reserved {
      items.append(Self.item(last, column: rect.endColumn - reserved + 2, row: rect.row))
    }
    self.items = items
  }

  /// The keys in short: the first of alternatives, but all of a range.
  private static func keys(of entry: KeyEntry) -> String {
    entry.bindings.count > 3 ? entry.keyNames : entry.bindings.first?.keys.description ?? ""
  }

  private static func width(of entry: KeyEntry) -> Int {
    displayWidth(of: keys(of: entry)) + 1 + displayWidth(of: entry.label ?? "")
  }

  private static func item(_ entry: KeyEntry, column: Int, row: Int) -> Item {
    Item(
      entry: entry, keys: keys(of: entry), label: entry.label ?? "",
      rect: Rect(column: column, row: row, columns: width(of: entry), rows: 1))
  }
}
