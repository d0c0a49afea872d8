import Allocation
import Engine
import Sessions
import Terminal

/// Bytes against KLD: the best plans as a curve, other plans as points, the budget as a line.
struct FrontierView {
  let state: AppState
  let layout: BudgetLayout
  let axes: FrontierAxes

  /// One point of the plot.
  private struct Mark {
    let glyph: String
    let role: ThemeRole
    let name: String
    let bytes: Int
    let divergence: Double
  }

  func draw(on painter: inout Painter) {
    drawAxes(on: &painter)
    drawBudgetLine(on: &painter)
    drawCurve(on: &painter)
    drawMarks(on: &painter)
    drawLegend(on: &painter)
  }

  private func drawAxes(on painter: inout Painter) {
    let plot = layout.plot
    var lastRow: Int?
    // From above, so that of two labels that would touch the upper one stays.
    for tick in axes.divergence.ticks(about: max(2, plot.rows / 2)).reversed() {
      let row = axes.row(of: tick, in: plot)
      guard lastRow != row else { continue }
      lastRow = row
      let label = painter.fit(Figures.round(tick), BudgetLayout.labelWidth - 1, .trailing)
      painter.put(
        label, .dim, at: Point(column: plot.column - BudgetLayout.labelWidth, row: row),
        maxColumns: BudgetLayout.labelWidth - 1)
      painter.frame.fill(
        Rect(column: plot.column, row: row, columns: plot.columns, rows: 1),
        with: state.glyphs.grid, style: painter.style(.gaugeEmpty))
    }
    var end = layout.axis.column - 1
    for tick in axes.bytes.ticks(about: max(2, plot.columns / 12)) {
      let label = Figures.roundBytes(tick)
      let middle = axes.column(ofBytes: Int(tick), in: plot)
      let start = min(
        max(middle - displayWidth(of: label) / 2, layout.axis.column),
        layout.axis.endColumn - displayWidth(of: label))
      guard start > end else { continue }
      end =
        start
        + painter.put(
          label, .dim, at: Point(column: start, row: layout.axis.row),
          maxColumns: layout.axis.endColumn - start) + 1
    }
  }

  /// Where the budget is: at the bytes asked for, or those of the plan that was found.
  private var budgetBytes: Int? {
    if case .bytes(let bytes)? = state.budget.target { return bytes }
    return state.budget.proposal?.bytes
  }

  private func drawBudgetLine(on painter: inout Painter) {
    guard let bytes = budgetBytes else { return }
    let column = axes.column(ofBytes: bytes, in: layout.plot)
    painter.frame.fill(
      Rect(column: column, row: layout.plot.row, columns: 1, rows: layout.plot.rows),
      with: state.glyphs.budgetLine, style: painter.style(.budget))
  }

  private func drawCurve(on painter: inout Painter) {
    guard let curve = state.budget.frontier?.curve.sorted(by: { $0.bytes < $1.bytes }) else {
      return
    }
    var canvas = CurveCanvas(style: state.glyphs.plot, size: layout.plot.size)
    let places = curve.map {
      (x: axes.bytes.share(of: Double($0.bytes)), y: axes.divergence.share(of: $0.divergence))
    }
    for (start, end) in zip(places, places.dropFirst()) { canvas.line(from: start, to: end) }
    let style = painter.style(.frontier)
    for (place, glyph) in canvas.cells {
      painter.frame[layout.plot.row + place.row, layout.plot.column + place.column] = Cell(
        glyph, style: style)
    }
  }

  // MARK: Points

  /// What is known and proposed, the most important last, for it is drawn over the others.
  private var marks: [Mark] {
    let glyphs = state.glyphs
    var marks = (state.budget.frontier?.marks ?? []).map { point in
      let isMix = point.kind == .mix
      return Mark(
        glyph: isMix ? glyphs.mix : glyphs.uniform, role: isMix ? .mix : .uniform,
        name: point.name, bytes: point.bytes, divergence: point.divergence)
    }
    for snapshot in state.compared.dropFirst() {
      guard let divergence = snapshot.divergence else { continue }
      marks.append(
        Mark(
          glyph: divergence.isMeasured ? glyphs.snapshotMeasured : glyphs.snapshot, role: .strong,
          name: snapshot.name, bytes: snapshot.bytes, divergence: divergence.value))
    }
    if let proposal = state.budget.proposal {
      marks.append(
        Mark(
          glyph: glyphs.proposal, role: .budget, name: "", bytes: proposal.bytes,
          divergence: proposal.divergence.mean))
    }
    if let current = state.currentSnapshot, let divergence = current.divergence {
      marks.append(
        Mark(
          glyph: divergence.isMeasured ? glyphs.planMeasured : glyphs.plan, role: .mark,
          name: "plan", bytes: current.bytes, divergence: divergence.value))
    }
    return marks
  }

  private func drawMarks(on painter: inout Painter) {
    let plot = layout.plot
    let marks = marks.filter { mark in
      mark.divergence > 0
        && (axes.bytes.lower...axes.bytes.upper).contains(Double(mark.bytes))
    }
    var taken: Set<Point> = []
    func place(_ mark: Mark) -> Point {
      Point(
        column: axes.column(ofBytes: mark.bytes, in: plot),
        row: axes.row(of: mark.divergence, in: plot))
    }
    for mark in marks {
      taken.insert(place(mark))
      painter.put(mark.glyph, mark.role, at: place(mark), maxColumns: 1)
    }
    // Names stand right of their points, where they hide neither another point nor another name.
    for mark in marks.reversed() where !mark.name.isEmpty {
      let point = place(mark)
      let width = displayWidth(of: mark.name)
      let cells = (1...width + 1).map { Point(column: point.column + $0, row: point.row) }
      guard point.column + width + 1 < plot.endColumn, taken.isDisjoint(with: cells) else {
        continue
      }
      taken.formUnion(cells)
      painter.put(
        mark.name, mark.role == .mark ? .text : .dim,
        at: Point(column: point.column + 1, row: point.row), maxColumns: width)
    }
  }

  /// Signs and words, as many as fit: most are predicted, filled ones measured.
  private func drawLegend(on painter: inout Painter) {
    let glyphs = state.glyphs
    var entries: [(String, ThemeRole, String)] = [
      (glyphs.curve, .frontier, "best"), (glyphs.plan, .mark, "plan"),
      (glyphs.planMeasured, .mark, "measured"), (glyphs.uniform, .uniform, "uniform"),
      (glyphs.mix, .mix, "llama.cpp"),
    ]
    if !state.snapshots.all.isEmpty {
      entries += [
        (glyphs.snapshot, .strong, "snapshot"), (glyphs.snapshotMeasured, .strong, "measured"),
      ]
    }
    var used = 0
    for (glyph, role, word) in entries {
      let segments = [painter.segment(glyph, role), painter.segment(" \(word)   ", .dim)]
      let width = Painter.width(of: segments)
      guard used + width <= layout.legend.columns + 2 else { break }
      used += painter.put(
        segments, at: Point(column: layout.legend.column + 1 + used, row: layout.legend.row),
        maxColumns: layout.legend.columns - 1 - used)
    }
  }
}
