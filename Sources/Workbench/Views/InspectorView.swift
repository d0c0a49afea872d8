import Checkpoints
import Compression
import Tensors
import Terminal

/// What compression does to the layer under the cursor, or to its whole block.
struct InspectorView {
  let state: AppState

  func draw(in slot: PaneSlot, on painter: inout Painter) {
    var box = PaneBox(state: state, slot: slot)
    let heading = heading(painter, box.titleRole)
    if slot.panes.count > 1 { box.note = heading } else { box.title = heading }
    box.draw(on: &painter)
    guard let model = state.model, let row = state.table.row else { return }
    let inside = slot.inside.inset(columns: 1, rows: 0)
    switch row {
    case .layer(let index):
      drawTabs(in: slot.inside, on: &painter)
      drawLayer(index, of: model, in: inside.splitTop(1).rest, on: &painter)
    case .block:
      BlockSummaryView(state: state, model: model, layers: state.table.layers(of: row, in: model))
        .draw(in: inside, on: &painter)
    }
    if state.pane == .inspector, !state.isTyping { painter.frame.cursor = slot.inside.origin }
  }

  private func heading(_ painter: Painter, _ role: ThemeRole) -> [Segment] {
    guard let model = state.model, let row = state.table.row else {
      return [painter.segment("Inspector", role)]
    }
    switch row {
    case .block(let block): return [painter.segment("block \(block)", role)]
    case .layer(let index):
      let layer = model.layers[index]
      let name = (layer.block.map { "blk \($0) " } ?? "") + layer.role.rawValue
      let shape = "\(layer.rows)\(state.glyphs.times)\(layer.columns) \(layer.storedText)"
      return [painter.segment(name, role), painter.segment("  " + shape, .dim)]
    }
  }

  private func drawTabs(in inside: Rect, on painter: inout Painter) {
    let strip = state.inspectorTabs(in: inside)
    for (tab, place) in zip(InspectorState.Tab.allCases, strip.tabs) {
      let isShown = tab == state.inspector.tab
      painter.put(
        isShown ? "[\(place.label)]" : " \(place.label) ", isShown ? .strong : .dim,
        at: place.rect.origin, maxColumns: place.rect.columns)
    }
    if state.inspector.tab != .channels, state.inspector.isLogarithmic {
      painter.put(
        [painter.segment("log counts", .dim)], endingAt: inside.endColumn - 1, row: inside.row,
        maxColumns: inside.endColumn - strip.endColumn - 2)
    }
  }

  private func drawLayer(
    _ index: Int, of model: OpenModel, in rect: Rect, on painter: inout Painter
  ) {
    let figures = LayerFiguresView(state: state, model: model, layer: index)
    // In a low pane figures stand beside the plot, else below it.
    guard rect.rows >= 13 else {
      let width = min(38, rect.columns / 2)
      let (plot, right) = rect.splitRight(width)
      drawTab(index, of: model, in: plot.splitRight(2).rest, on: &painter)
      figures.draw(in: right, on: &painter)
      return
    }
    let height = min(figures.rows(columns: rect.columns), rect.rows - 5)
    let (plot, below) = rect.splitBottom(height)
    drawTab(index, of: model, in: plot.splitBottom(1).rest, on: &painter)
    figures.draw(in: below, on: &painter)
  }

  private func drawTab(_ index: Int, of model: OpenModel, in rect: Rect, on painter: inout Painter)
  {
    guard let report = model.reports[index] else {
      painter.put(
        "no report from the engine yet", .dim, at: Point(column: rect.column, row: rect.row + 1),
        maxColumns: rect.columns)
      return
    }
    let isCurrent = report.scheme == model.schemes[index]
    let shown = state.inspector
    switch shown.tab {
    case .weights:
      let after = HistogramView.Series(
        histogram: report.after, name: "compressed", role: .compressed)
      HistogramView(
        upper: .init(histogram: report.before, name: "reference", role: .reference),
        lower: isCurrent && !report.scheme.keepsLayer ? after : nil,
        isLogarithmic: shown.isLogarithmic
      ).draw(in: rect, on: &painter)
    case .error:
      guard isCurrent, !report.scheme.keepsLayer else {
        painter.put(
          isCurrent ? "kept as it is: no error" : "waiting for the engine", .dim,
          at: Point(column: rect.column, row: rect.row + 1), maxColumns: rect.columns)
        return
      }
      HistogramView(
        upper: .init(
          histogram: report.difference, name: "compressed minus reference", role: .compressed),
        lower: nil, isLogarithmic: shown.isLogarithmic
      ).draw(in: rect, on: &painter)
    case .channels:
      ChannelsView(report: report, top: shown.top).draw(in: rect, on: &painter)
    }
  }
}

/// The worst output channels, with a bar as long as their error.
private struct ChannelsView {
  let report: LayerReport
  let top: Int

  func draw(in rect: Rect, on painter: inout Painter) {
    painter.put(
      painter.fit("channel", 8, .trailing) + painter.fit("dB", 8, .trailing)
        + painter.fit("max error", 11, .trailing) + "  MSE",
      .dim, at: rect.origin, maxColumns: rect.columns)
    let worst = report.worstChannels.map(\.mse).max() ?? 0
    guard worst > 0 else {
      painter.put(
        "no channel has an error", .dim, at: Point(column: rect.column, row: rect.row + 1),
        maxColumns: rect.columns)
      return
    }
    let rows = rect.splitTop(1).rest
    for (offset, channel) in report.worstChannels.dropFirst(top).prefix(rows.rows).enumerated() {
      let decibel = channel.sqnr.map { Figures.fixed($0, 1) } ?? painter.glyphs.dash
      let text =
        painter.fit(String(channel.channel), 8, .trailing) + painter.fit(decibel, 8, .trailing)
        + painter.fit(Figures.significant(channel.maxError), 11, .trailing) + "  "
      let point = Point(column: rows.column, row: rows.row + offset)
      let used = painter.put(text, at: point, maxColumns: rows.columns)
      let bar = painter.bar(
        channel.mse / worst, columns: max(0, rows.columns - used), filled: .compressed)
      painter.put(
        Array(bar.dropFirst().dropLast()), at: Point(column: point.column + used, row: point.row),
        maxColumns: rows.columns - used)
    }
  }
}
