import Engine
import Terminal

/// The prompt and the answers to it.
struct PromptView {
  let state: AppState

  private var conversation: Conversation { state.conversation }

  func draw(in slot: PaneSlot, on painter: inout Painter) {
    var box = PaneBox(state: state, slot: slot)
    box.title = [
      painter.segment("Prompt", box.titleRole),
      painter.segment(" \(state.glyphs.rule) \(settings)", .dim),
    ]
    let note = note(painter)
    box.note = slot.panes.count > 1 && note.isEmpty ? [painter.segment(settings, .dim)] : note
    box.draw(on: &painter)
    drawInside(slot.inside, on: &painter)
  }

  /// The conversation without its border.
  func drawInside(_ inside: Rect, on painter: inout Painter) {
    let layout = PromptLayout(inside: inside, conversation: conversation)
    for group in layout.groups {
      for side in group { drawHeading(side, on: &painter) }
      let transcript = Transcript(state, group)
      let first = transcript.first(height: group.text.rows, scroll: conversation.scroll)
      let rows = Array(transcript.rows.dropFirst(first).prefix(group.text.rows))
      draw(rows, group, on: &painter)
      drawDividers(beside: rows, group, on: &painter)
    }
    drawInput(layout, on: &painter)
  }

  /// How prompts are answered.
  var settings: String {
    let separator = " \(state.glyphs.separator) "
    var parts = [conversation.settings.summary(separator: state.glyphs.separator)]
    if conversation.chats.count > 1 {
      parts.append("chat \(conversation.place + 1) of \(conversation.chats.count)")
    }
    if conversation.isSentRaw { parts.append("raw: no chat template") }
    return parts.joined(separator: separator)
  }

  /// Where the answers part; before that, whether the compressed model is the plan's yet.
  func note(_ painter: Painter) -> [Segment] {
    if let model = state.model, model.readyLayers < model.changedLayers {
      let text = "\(model.readyLayers)/\(model.changedLayers) layers as planned"
      return [painter.segment(text, .warn)]
    }
    let partings = [
      conversation.partedTurn.map { "parted in turn \($0 + 1)" },
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

  private func drawInput(_ layout: PromptLayout, on painter: inout Painter) {
    let isFocused = state.isPrompting && state.overlay == nil && state.line == nil
    painter.put(
      "> ", isFocused ? .focus : .dim, at: layout.input.origin, maxColumns: layout.input.columns)
    let field = layout.field
    guard !conversation.editor.text.isEmpty || isFocused else {
      painter.put(invitation, .dim, at: field.origin, maxColumns: field.columns)
      return
    }
    let caret = conversation.editor.caret
    let first = layout.firstLine(showing: caret)
    for (offset, row) in layout.lines.rows.dropFirst(first).prefix(field.rows).enumerated() {
      painter.frame.put(
        row.text, at: Point(column: field.column, row: field.row + offset),
        style: painter.style(.input), within: field)
    }
    guard isFocused else { return }
    let place = layout.lines.place(of: caret)
    painter.frame.cursor = Point(
      column: field.column + place.column, row: field.row + place.row - first)
    painter.frame.showsCursor = true
  }

  /// The rows of the turns that are seen.
  private func draw(
    _ rows: [Transcript.Row], _ group: [PromptLayout.Side], on painter: inout Painter
  ) {
    let place = group.text
    for (offset, row) in rows.enumerated() {
      let line = place.row + offset
      switch row {
      case .blank: break
      case .prompt(let sign, let text):
        painter.put(
          [painter.segment(sign, .key), painter.segment(text, .strong)],
          at: Point(column: place.column, row: line), maxColumns: place.columns)
      case .answers(let answers, _, _):
        for (side, runs) in zip(group, answers) {
          painter.put(
            runs.map { painter.segment($0.text, $0.kind.role) },
            at: Point(column: side.text.column, row: line), maxColumns: side.text.columns)
        }
      }
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

  /// Lines between answers that stand side by side; prompts go over all columns.
  private func drawDividers(
    beside rows: [Transcript.Row], _ group: [PromptLayout.Side], on painter: inout Painter
  ) {
    for side in group.dropFirst() {
      for line in 0...side.text.rows {
        if line > 0, rows.indices.contains(line - 1), case .prompt = rows[line - 1] { continue }
        painter.frame.put(
          String(state.glyphs.box.vertical),
          at: Point(column: side.heading.column - 2, row: side.heading.row + line),
          style: painter.style(.border), maxColumns: 1)
      }
    }
  }
}

extension AnswerSide {
  /// The colour that stands for it.
  var role: ThemeRole {
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
