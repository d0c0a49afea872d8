import Terminal

/// The help overlay's lines at a size of the screen, made from the key table.
struct HelpText {
  enum Line: Hashable, Sendable {
    case heading(String)
    /// A part of an entry: what does not fit goes on in the next line.
    case entry(keys: String, command: String, help: String)
    case note(String)
    case blank
  }

  let lines: [Line]
  let rect: Rect
  /// Cells of the columns; no commands are shown where there is no room for them.
  let keyWidth = 14
  let commandWidth: Int

  /// Everything about the table comes first, since that is where people start.
  private static let order: [KeyContext] = [
    .layers, .table, .inspector, .prompt, .chat, .budget, .compare, .history, .hardware, .jobs,
    .start,
    .browsing, .everywhere, .line,
    .palette, .picker, .export, .help, .confirmation,
  ]

  /// - Parameters:
  ///   - keys: what is told.
  ///   - text: words that each entry must have; empty tells all.
  ///   - size: of the screen.
  init(keys: KeyTable, searching text: String = "", size: Size) {
    rect = Rect(size).centered(
      Size(columns: min(100, size.columns - 4), rows: max(3, size.rows - 4)))
    commandWidth = Self.inside(rect).columns >= 76 ? 27 : 0
    let words = text.lowercased().split(separator: " ")
    func isWanted(_ texts: String...) -> Bool {
      let all = texts.joined(separator: " ").lowercased()
      return words.allSatisfy { all.contains($0) }
    }
    var lines: [Line] = []
    var told: Set<KeyEntry> = []
    for context in Self.order {
      let entries = keys.entries.filter { $0.contexts.first == context || $0.contexts == [context] }
        .filter { told.insert($0).inserted }
        .filter { isWanted($0.keyNames, Self.usage($0), $0.help, context.title) }
      guard !entries.isEmpty else { continue }
      if !lines.isEmpty { lines.append(.blank) }
      lines.append(.heading(context.title))
      for entry in entries {
        lines += Self.lines(of: entry, keyWidth, commandWidth, Self.inside(rect).columns)
      }
    }
    let signs = Self.signs.filter { isWanted($0, "signs") }
    if !signs.isEmpty {
      let columns = Self.inside(rect).columns - 2
      lines += [.blank, .heading("Signs")]
      lines += signs.flatMap { wrapped($0, columns: columns).map { .note(String($0)) } }
    }
    self.lines = lines
  }

  private static func usage(_ entry: KeyEntry) -> String {
    guard !entry.action.isLocal else { return "" }
    let placeholder = entry.action.argument.placeholder
    return ":" + entry.action.rawValue + (placeholder.isEmpty ? "" : " " + placeholder)
  }

  /// An entry in as many lines as its columns take.
  private static func lines(
    of entry: KeyEntry, _ keyWidth: Int, _ commandWidth: Int, _ columns: Int
  ) -> [Line] {
    let keys = wrapped(entry.keyNames, columns: keyWidth - 1)
    let commands = commandWidth > 0 ? wrapped(usage(entry), columns: commandWidth - 1) : []
    let helps = wrapped(entry.help, columns: columns - 2 - keyWidth - commandWidth)
    return (0..<max(keys.count, commands.count, helps.count)).map { row in
      func part(_ lines: [Substring]) -> String { row < lines.count ? String(lines[row]) : "" }
      return .entry(keys: part(keys), command: part(commands), help: part(helps))
    }
  }

  private static let signs = [
    "~ before a figure: predicted, or sampled from some rows; else exact",
    "* behind the plan's name: changed since it was saved",
    "m, w, z behind a method: MSE-searched or weighted range, zero points (asymmetric)",
    "P before a layer: pinned, the solver keeps its scheme",
    "Points of a plot: hollow ones are predicted, filled ones measured",
    "Mouse: click selects, wheel scrolls, a footer label is its key, vise lists all commands",
  ]

  /// Where the lines are.
  var inside: Rect { Self.inside(rect) }

  private static func inside(_ rect: Rect) -> Rect { rect.inset(columns: 2, rows: 1) }

  /// `top` brought to where the last page is full.
  func clamped(_ top: Int) -> Int { max(0, min(top, lines.count - inside.rows)) }
}
