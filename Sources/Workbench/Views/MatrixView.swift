import Checkpoints
import Compression
import Terminal

/// The layers as a matrix: blocks from top to bottom, roles from left to right, heat by a figure.
struct MatrixView {
  let state: AppState
  let model: OpenModel
  let figure: MatrixFigure

  func draw(in inside: Rect, on painter: inout Painter) {
    let grid = MatrixGrid(model, of: state.table.matching)
    let cursor = state.inspectedLayer.flatMap { grid.place(of: $0) }
    let layout = MatrixLayout(inside: inside, grid: grid, cursorRow: cursor?.row ?? 0)
    for (column, role) in grid.roles.enumerated() {
      let place = layout.cell(row: layout.top, column: column)
      let isCursor = column == cursor?.column
      painter.put(
        painter.fit(Self.short(role, to: layout.cellWidth - 1), layout.cellWidth, .trailing),
        isCursor ? .strong : .dim, at: Point(column: place.column, row: layout.heading.row),
        maxColumns: min(layout.cellWidth, max(0, inside.endColumn - place.column)))
    }
    let scale = Scale(model, figure)
    let chosen = state.table.marks.union(state.table.rangeLayers(in: model))
    for row in grid.rows.indices.dropFirst(layout.top).prefix(layout.rows.rows) {
      let line = layout.rows.row + row - layout.top
      painter.put(
        painter.fit(name(of: grid.rows[row]), MatrixLayout.nameWidth - 1),
        row == cursor?.row ? .strong : .dim,
        at: Point(column: layout.rows.column + 1, row: line),
        maxColumns: MatrixLayout.nameWidth - 1)
      for column in grid.roles.indices {
        guard let layer = grid.layer(row: row, column: column) else { continue }
        let rect = layout.cell(row: row, column: column)
        guard rect.endColumn <= inside.endColumn else { break }
        let cell = scale.cell(of: layer, painter, state.glyphs)
        // Marks are told by a sign, not by colour alone.
        let mark = chosen.contains(layer) ? state.glyphs.mark : ""
        painter.put(
          [
            painter.segment(
              painter.fit(mark, max(0, rect.columns - displayWidth(of: cell.text)), .trailing),
              .mark), cell,
          ], at: rect.origin, maxColumns: rect.columns)
        if row == cursor?.row, column == cursor?.column { select(rect, on: &painter) }
      }
    }
  }

  private func select(_ rect: Rect, on painter: inout Painter) {
    let styles = painter.styles
    let isActive = state.pane == .table
    painter.frame.restyle(rect) {
      $0 = styles.selected($0, isActive ? .selection : .selectionInactive)
    }
    if isActive, !state.isTyping { painter.frame.cursor = rect.origin }
  }

  private func name(of row: MatrixGrid.Row) -> String {
    switch row {
    case .block(let block): "block \(block)"
    case .layer(let index): model.layers[index].role.rawValue
    }
  }

  /// `q_proj` as `q` where there is no room for all.
  private static func short(_ role: Role, to width: Int) -> String {
    let name = role.rawValue
    guard name.count > width, name.hasSuffix("_proj") else { return name }
    return String(name.dropLast("_proj".count))
  }

  /// How figures become cells: heat from the calmest to the most alarming layer of the model.
  private struct Scale {
    let model: OpenModel
    let figure: MatrixFigure
    private let most: Double

    init(_ model: OpenModel, _ figure: MatrixFigure) {
      self.model = model
      self.figure = figure
      let all = model.layers.indices
      most =
        switch figure {
        case .bits, .error: 1
        case .bytes:
          all.filter { model.layers[$0].block != nil }.map { Double(model.size($0).total) }.max()
            ?? 1
        case .kld: all.compactMap { model.divergence($0) }.max() ?? 1
        }
    }

    func cell(of layer: Int, _ painter: Painter, _ glyphs: Glyphs) -> Segment {
      let scheme = model.schemes[layer]
      let unknown = painter.segment(glyphs.ellipsis, .dim)
      switch figure {
      case .bits:
        guard let quantization = scheme.quantization else {
          return painter.segment("keep", ThemeRole(bits: nil))
        }
        return painter.segment("\(quantization.bits)", ThemeRole(bits: quantization.bits))
      case .bytes:
        let bytes = model.size(layer).total
        let tilde = model.isSizeEstimate(layer) ? "~" : ""
        return Segment(
          tilde + Figures.bytes(bytes).filter { $0 != " " },
          painter.styles.heat(Double(bytes) / max(most, 1)))
      case .kld:
        guard let divergence = model.divergence(layer) else { return unknown }
        guard divergence > 0 else { return painter.segment("0", .dim) }
        return Segment(
          "~" + Figures.brief(divergence), painter.styles.heat(divergence / max(most, 1e-12)))
      case .error:
        if scheme.keepsLayer { return painter.segment(glyphs.dash, .dim) }
        guard let report = model.currentReport(layer) else { return unknown }
        guard let sqnr = report.error.sqnr else { return painter.segment("exact") }
        let tilde = model.standing(layer) == .exact ? "" : "~"
        return Segment(tilde + Figures.fixed(sqnr, 1), painter.styles.heat((40 - sqnr) / 32))
      }
    }
  }
}
