import Engine
import Terminal

/// The Jobs screen: what runs, how far it is, what came of what ended.
struct JobsView {
  let state: AppState

  func draw(in rect: Rect, on painter: inout Painter) {
    painter.frame.drawBox(
      rect, style: painter.style(.focus), glyphs: state.glyphs.box, title: "Jobs",
      titleStyle: painter.style(.focus))
    let inside = rect.inset(columns: 2, rows: 1)
    let jobs = state.jobs.newestFirst
    guard !jobs.isEmpty else {
      painter.put("Nothing has run yet", .dim, at: inside.origin, maxColumns: inside.columns)
      return
    }
    let first = max(0, min(state.jobs.cursor - inside.rows / 2, jobs.count - inside.rows))
    for (offset, job) in jobs.dropFirst(first).prefix(inside.rows).enumerated() {
      let row = Rect(
        column: rect.column + 1, row: inside.row + offset, columns: rect.columns - 2, rows: 1)
      painter.put(
        segments(job, columns: inside.columns, painter),
        at: Point(column: inside.column, row: row.row), maxColumns: inside.columns)
      if first + offset == state.jobs.cursor {
        painter.select(row)
        painter.frame.cursor = row.origin
      }
    }
  }

  private func segments(_ job: Job, columns: Int, _ painter: Painter) -> [Segment] {
    var segments = [
      painter.segment(painter.fit(job.kind.rawValue, 12), .strong),
      painter.segment(painter.fit(job.subject, min(36, columns / 3)) + "  ", .dim),
    ]
    switch job.outcome {
    case .finished:
      segments.append(painter.segment("done", .ok))
      if let result = job.result { segments.append(painter.segment("   " + result)) }
    case .cancelled: segments.append(painter.segment("cancelled", .warn))
    case .failed(let reason): segments.append(painter.segment("failed: \(reason)", .error))
    case nil: segments += JobText(job).progress(barColumns: 14, painter)
    }
    return segments
  }
}
