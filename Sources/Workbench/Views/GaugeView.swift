import Allocation
import Engine
import Export
import Sessions
import Terminal

/// The second row: how much memory the model takes now, of what it took, and what that costs.
struct GaugeView {
  let state: AppState

  func draw(in rect: Rect, on painter: inout Painter) {
    guard let model = state.model else { return drawOpening(in: rect, on: &painter) }
    let total = model.total
    let share = Double(total.bytes) / Double(max(total.originalBytes, 1))
    let barWidth = min(max(rect.columns * 26 / 100, 14), 64)
    var column = rect.column + 1
    column += painter.put(
      painter.bar(share, columns: barWidth), at: Point(column: column, row: rect.row),
      maxColumns: barWidth)
    // Fixed widths: while figures change, nothing beside them moves.
    let bytes = (total.isEstimate ? "~" : "") + Figures.totalBytes(total.bytes)
    let ratio = Figures.fixed(1 / max(share, 1e-9), 2) + "x"
    let figures = [
      [
        painter.segment(painter.fit(bytes, 10, .trailing), .strong),
        painter.segment(" of \(Figures.totalBytes(total.originalBytes))", .dim),
      ],
      [painter.segment(painter.fit(ratio, 8, .trailing))],
      [
        painter.segment(painter.fit(Figures.fixed(total.bitsPerWeight, 2), 7, .trailing)),
        painter.segment(" bpw", .dim),
      ],
    ]
    for figure in figures where column + Painter.width(of: figure) < rect.endColumn {
      column += painter.put(
        figure, at: Point(column: column, row: rect.row), maxColumns: rect.endColumn - column)
    }
    // What does not fit matters more than what the plan might do to the answers.
    let words = misfitWords(of: model).first { column + 3 + displayWidth(of: $0) < rect.endColumn }
    if let words {
      column += painter.put(
        "   " + words, .warn, at: Point(column: column, row: rect.row),
        maxColumns: rect.endColumn - column)
    }
    let isMeasured = state.isEvaluationCurrent
    if let predicted = state.predicted, !isMeasured, total.bytes < total.originalBytes {
      let segments = [
        painter.segment("KLD ~\(Figures.significant(predicted.mean))"),
        painter.segment(" predicted", .dim),
      ]
      painter.put(
        segments, endingAt: rect.endColumn - 1, row: rect.row,
        maxColumns: rect.endColumn - column - 3)
    } else {
      drawEvaluation(isCurrent: isMeasured, after: column, in: rect, on: &painter)
    }
  }

  /// How many layers the target cannot hold, in words and in few; none where it can hold all.
  private func misfitWords(of model: OpenModel) -> [String] {
    guard let count = model.forecast?.refusals.count, count > 0 else { return [] }
    return [
      "\(state.glyphs.misfit) \(state.misfitText(count))", "\(state.glyphs.misfit) \(count) unfit",
    ]
  }

  private func drawEvaluation(
    isCurrent: Bool, after column: Int, in rect: Rect, on painter: inout Painter
  ) {
    guard let evaluation = state.evaluation else { return }
    // Figures of another plan say so: they are not about what is on the screen.
    let note = isCurrent ? [] : [painter.segment("  another plan", .warn)]
    var parts = EvaluationText(evaluation.result, glyphs: state.glyphs).parts
    while !parts.isEmpty {
      let text = parts.joined(separator: "   ")
      let segments = [painter.segment(text, isCurrent ? .text : .dim)] + note
      if Painter.width(of: segments) + 3 < rect.endColumn - column {
        painter.put(
          segments, endingAt: rect.endColumn - 1, row: rect.row, maxColumns: rect.columns)
        return
      }
      parts.removeLast()
    }
  }

  private func drawOpening(in rect: Rect, on painter: inout Painter) {
    let point = Point(column: rect.column + 1, row: rect.row)
    switch state.opening {
    case .opening(let path):
      painter.put("opening \(path)", .dim, at: point, maxColumns: rect.columns - 2)
    case .failed: painter.put("no model is open", .dim, at: point, maxColumns: rect.columns - 2)
    case .idle: break
    }
  }
}
