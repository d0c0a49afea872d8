import Checkpoints
import Compression
import Export
import Terminal

/// The row above the footer: an input line, a notice, or what is chosen.
struct StatusView {
  let state: AppState

  func draw(in rect: Rect, on painter: inout Painter) {
    let point = Point(column: rect.column + 1, row: rect.row)
    let room = max(0, rect.columns - 2)
    if let line = state.line {
      draw(line, in: rect, on: &painter)
    } else if let notice = state.notice {
      painter.put(notice.sign + notice.text, notice.role, at: point, maxColumns: room)
    } else if let press = state.pendingPress {
      painter.put(
        "\(press) \(state.glyphs.ellipsis)", .dim, at: point, maxColumns: room)
    } else if state.screen == .layers {
      painter.put(selection(painter), at: point, maxColumns: room)
    }
  }

  private func draw(_ line: InputLine, in rect: Rect, on painter: inout Painter) {
    let isArgument = if case .argument = line.purpose { true } else { false }
    painter.put(
      line.title + (isArgument ? ": " : ""), .focus,
      at: Point(column: rect.column + 1, row: rect.row), maxColumns: rect.columns - 2)
    let field = rect.splitLeft(line.textColumn).rest
    EditorView(editor: line.editor, isFocused: state.overlay == nil)
      .draw(in: field, on: &painter)
    guard let flaw = line.flaw else { return }
    let used = displayWidth(of: line.editor.text) + 3
    painter.put(
      flaw, .error, at: Point(column: field.column + used, row: rect.row),
      maxColumns: field.columns - used - 1)
  }

  /// What the next change would apply to.
  private func selection(_ painter: Painter) -> [Segment] {
    guard let model = state.model else { return [] }
    let targets = state.targets
    guard let first = targets.first else { return [] }
    if targets.count == 1 {
      let misfit = model.refusal(first).map { "   \(state.glyphs.misfit) \($0.reason)" } ?? ""
      return [
        painter.segment(model.layers[first].name, .dim),
        painter.segment("   \(model.schemes[first].summary)", .text),
        painter.segment(misfit, .warn),
      ]
    }
    let summary = model.summary(of: targets)
    let isMarked = !state.table.shownMarks.isEmpty || state.table.anchor != nil
    let tilde = summary.isEstimate ? "~" : ""
    return [
      painter.segment("\(targets.count) layers", isMarked ? .mark : .text),
      painter.segment(isMarked ? " marked" : " of this block", .dim),
      painter.segment(
        "   \(Figures.bytes(summary.originalBytes)) \(state.glyphs.arrow) "
          + "\(tilde)\(Figures.bytes(summary.bytes))"),
      painter.segment("   \(Figures.fixed(summary.bitsPerWeight, 2)) bpw", .dim),
    ]
  }
}

extension Notice {
  fileprivate var role: ThemeRole {
    switch kind {
    case .info: .text
    case .success: .ok
    case .warning: .warn
    case .failure: .error
    }
  }

  /// Says without colour what kind of notice it is.
  fileprivate var sign: String {
    switch kind {
    case .info, .success: ""
    case .warning: "! "
    case .failure: "!! "
    }
  }
}

/// The last row: what keys do here.
struct FooterView {
  let state: AppState

  func draw(in rect: Rect, on painter: inout Painter) {
    for item in Footer(state, in: rect).items {
      painter.put(
        [painter.segment(item.keys, .key), painter.segment(" \(item.label)", .dim)],
        at: item.rect.origin, maxColumns: item.rect.columns)
    }
  }
}

/// Completions of the input line, in a box above it.
struct CompletionView {
  let state: AppState

  /// The most rows of the box.
  private static let rows = 9

  func draw(above status: Rect, on painter: inout Painter) {
    guard let line = state.line, state.overlay == nil, !line.completions.isEmpty else { return }
    if case .filter = line.purpose, line.editor.text.isEmpty { return }
    if line.completions.map(\.text) == [line.editor.text] { return }
    let all = line.completions
    let count = min(all.count, Self.rows)
    let labels = min(28, all.map { displayWidth(of: $0.label) }.max() ?? 0)
    let helps = all.map { displayWidth(of: $0.help) }.max() ?? 0
    let width = min(status.columns - 2, labels + (helps > 0 ? helps + 3 : 0) + 4)
    let box = Rect(
      column: min(status.column + line.textColumn - 2, status.endColumn - width),
      row: status.row - count - 2,
      columns: width, rows: count + 2)
    guard box.row >= 0 else { return }
    painter.openPopup(box, title: "", hint: all.count > count ? "\(all.count)" : "")
    let first = max(0, min((line.chosen ?? 0) - count / 2, all.count - count))
    for (offset, completion) in all.dropFirst(first).prefix(count).enumerated() {
      let row = Rect(
        column: box.column + 1, row: box.row + 1 + offset, columns: box.columns - 2, rows: 1)
      painter.put(
        [
          painter.segment(painter.fit(completion.label, labels)),
          painter.segment("   " + completion.help, .dim),
        ],
        at: Point(column: row.column + 1, row: row.row), maxColumns: row.columns - 2)
      if first + offset == line.chosen {
        let styles = painter.styles
        painter.frame.restyle(row) { $0 = styles.selected($0) }
      }
    }
    painter.isPopup = false
  }
}
