import Engine
import Terminal

/// The prompt and the answers to it.
struct PromptView {
  let state: AppState

  private var conversation: Conversation { state.conversation }

  func draw(in slot: PaneSlot, on painter: inout Painter) {
    var box = PaneBox(state: state, slot: slot)
    var settings = conversation.settings.summary(separator: state.glyphs.separator)
    if conversation.isSentRaw { settings += " \(state.glyphs.separator) raw: no chat template" }
    box.title = [
      painter.segment("Prompt", box.titleRole),
      painter.segment(" \(state.glyphs.rule) \(settings)", .dim),
    ]
    let note = note(painter)
    box.note = slot.panes.count > 1 && note.isEmpty ? [painter.segment(settings, .dim)] : note
    box.draw(on: &painter)
    let layout = PromptLayout(inside: slot.inside, sides: conversation.sides)
    drawInput(in: layout.input, on: &painter)
    for side in layout.sides { draw(side, on: &painter) }
    drawDividers(layout, on: &painter)
  }

  /// Where the answers part; before that, whether the compressed model is the plan's yet.
  private func note(_ painter: Painter) -> [Segment] {
    if let model = state.model, model.readyLayers < model.changedLayers {
      let text = "\(model.readyLayers)/\(model.changedLayers) layers as planned"
      return [painter.segment(text, .warn)]
    }
    let partings = [
      conversation.parting.map { "part at token \($0 + 1)" },
      conversation.servedPartingCharacter.map { "served at character \($0)" },
    ].compactMap(\.self)
    guard !partings.isEmpty else { return [] }
    return [painter.segment(partings.joined(separator: ", "), .diverged)]
  }

  /// What stands where nothing is typed yet.
  private var invitation: String {
    if let reason = state.obstacle(to: Command(.prompt)) { return reason }
    return conversation.sides.contains(.served)
      ? "p writes a prompt; both models and the server answer it"
      : "p writes a prompt; both models answer it"
  }

  private func drawInput(in rect: Rect, on painter: inout Painter) {
    let isFocused = state.pane == .prompt && state.overlay == nil && state.line == nil
    painter.put("> ", isFocused ? .focus : .dim, at: rect.origin, maxColumns: rect.columns)
    let field = rect.splitLeft(PromptLayout.promptWidth).rest
    if conversation.editor.text.isEmpty, !isFocused {
      painter.put(invitation, .dim, at: field.origin, maxColumns: field.columns)
    } else {
      EditorView(editor: conversation.editor, isFocused: isFocused).draw(in: field, on: &painter)
    }
  }

  private func draw(_ side: PromptLayout.Side, on painter: inout Painter) {
    drawHeading(side, on: &painter)
    let lines = AnswerLines(conversation, side.side, columns: side.text.columns).lines
    let first = max(0, lines.count - side.text.rows - conversation.scroll)
    for (offset, line) in lines.dropFirst(first).prefix(side.text.rows).enumerated() {
      painter.put(
        line.map { painter.segment($0.text, $0.kind.role) },
        at: Point(column: side.text.column, row: side.text.row + offset),
        maxColumns: side.text.columns)
    }
  }

  /// Who answers, and the figures that there is room for.
  private func drawHeading(_ side: PromptLayout.Side, on painter: inout Painter) {
    let title = side.side.rawValue
    let name = side.side == .served ? conversation.servedName : ""
    painter.put(
      title, side.side.role, at: side.heading.origin, maxColumns: side.heading.columns)
    let room = side.heading.columns - title.count - 2
    var figures = figures(of: side.side, painter)
    let nameWidth = name.isEmpty ? 0 : displayWidth(of: name) + 1
    while Painter.width(of: figures) > room - nameWidth, figures.count > 1 {
      figures.removeFirst()
    }
    let width = painter.put(
      figures, endingAt: side.heading.endColumn, row: side.heading.row, maxColumns: room)
    painter.put(
      name, .dim,
      at: Point(column: side.heading.column + title.count + 1, row: side.heading.row),
      maxColumns: max(0, room - width))
  }

  /// What is told of an answer, the least important first.
  private func figures(of side: AnswerSide, _ painter: Painter) -> [Segment] {
    let answer = conversation.answer(side)
    guard !answer.tokens.isEmpty else {
      let isAwaited = conversation.isRunning && answer.failure == nil
      if isAwaited, let read = answer.promptRead {
        return [painter.segment("reading \(read.tokens)/\(read.total)", .dim)]
      }
      return isAwaited ? [painter.segment(state.glyphs.ellipsis, .dim)] : []
    }
    var segments = [painter.segment("\(answer.tokens.count) tokens   ", .dim)]
    if answer.cacheBytes > 0 {
      segments.insert(
        painter.segment("KV \(Figures.bytes(answer.cacheBytes))   ", .dim), at: 0)
    }
    if let sparsity = answer.inputSparsity {
      segments.append(painter.segment("sparse \(Figures.percent(sparsity))   ", .dim))
    }
    if side == .compressed, let rate = conversation.sameRate {
      segments.append(painter.segment("same \(Figures.percent(rate))   ", .text))
    }
    if side == .compressed, let divergence = conversation.meanDivergence {
      segments.append(painter.segment("KLD \(Figures.significant(divergence))   ", .dim))
    }
    let speed = answer.tokensPerSecond
    segments.append(
      painter.segment("\(Figures.fixed(speed, speed < 10 ? 1 : 0)) tok/s", .text))
    return segments
  }

  /// Lines between answers that stand side by side.
  private func drawDividers(_ layout: PromptLayout, on painter: inout Painter) {
    for (left, right) in zip(layout.sides, layout.sides.dropFirst())
    where left.heading.row == right.heading.row {
      painter.frame.fill(
        Rect(
          column: right.heading.column - 2, row: right.heading.row, columns: 1,
          rows: 1 + right.text.rows),
        with: state.glyphs.box.vertical, style: painter.style(.border))
    }
  }
}

extension AnswerSide {
  /// The colour that stands for it.
  fileprivate var role: ThemeRole {
    switch self {
    case .reference: .reference
    case .compressed: .compressed
    case .served: .served
    }
  }
}

/// The text of a line editor, scrolled so that the caret is seen.
struct EditorView {
  let editor: LineEditor
  let isFocused: Bool
  var role: ThemeRole = .input

  func draw(in rect: Rect, on painter: inout Painter) {
    guard rect.columns > 1 else { return }
    let caret = displayWidth(of: editor.head)
    let shift = max(0, caret - rect.columns + 1)
    painter.frame.put(
      editor.text, at: Point(column: rect.column - shift, row: rect.row),
      style: painter.style(editor.isOffered ? .selection : role), within: rect)
    guard isFocused else { return }
    painter.frame.cursor = Point(column: rect.column + caret - shift, row: rect.row)
    painter.frame.showsCursor = true
  }
}
