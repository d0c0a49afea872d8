import Terminal

/// The help overlay's lines, made from the key table.
struct HelpText {
  enum Line: Hashable, Sendable {
    case heading(String)
    case entry(keys: String, command: String, help: String)
    case note(String)
    case blank
  }

  let lines: [Line]

  /// Everything about the table comes first, since that is where people start.
  private static let order: [KeyContext] = [
    .layers, .table, .inspector, .prompt, .chat, .budget, .compare, .history, .hardware, .jobs, .start,
    .browsing, .everywhere, .line,
    .palette, .picker, .export, .help, .confirmation,
  ]

  init(keys: KeyTable) {
    var lines: [Line] = []
    var told: Set<KeyEntry> = []
    for context in Self.order {
      let entries = keys.entries.filter { $0.contexts.first == context || $0.contexts == [context] }
        .filter { told.insert($0).inserted }
      guard !entries.isEmpty else { continue }
      if !lines.isEmpty { lines.append(.blank) }
      lines.append(.heading(context.title))
      lines += entries.map { entry in
        let usage = [entry.action.rawValue, entry.action.argument.placeholder]
        return .entry(
          keys: entry.keyNames,
          command: entry.action.isLocal
            ? "" : ":" + usage.filter { !$0.isEmpty }.joined(separator: " "),
          help: entry.help)
      }
    }
    lines += [.blank, .heading("Signs")] + Self.signs.map(Line.note)
    self.lines = lines
  }

  private static let signs = [
    "~ before a figure: predicted, or sampled from some rows; else exact",
    "* behind the plan's name: changed since it was saved",
    "m, w, z behind a method: MSE-searched or weighted range, zero points (asymmetric)",
    "P before a layer: pinned, the solver keeps its scheme",
    "Points of a plot: hollow ones are predicted, filled ones measured",
    "Mouse: click selects, wheel scrolls, a footer label is its key",
  ]

  /// The overlay's place for a screen.
  static func rect(in size: Size) -> Rect {
    Rect(size).centered(
      Size(columns: min(100, size.columns - 4), rows: max(3, size.rows - 4)))
  }

  /// `top` brought to where the last page is full.
  func clamped(_ top: Int, in size: Size) -> Int {
    max(0, min(top, lines.count - Self.rect(in: size).inset().rows))
  }
}
