import Engine
import Serving
import Sessions
import Terminal

/// The Jobs screen: what runs, how far it is, what came of what ended, and the log of a job on a cluster.
struct JobsView {
  let state: AppState

  func draw(in body: Rect, on painter: inout Painter) {
    let layout = JobsLayout(body: body, hasLog: state.shownClusterJob != nil)
    drawList(in: layout.list, on: &painter)
    if let entry = state.shownClusterJob { draw(entry, in: layout.log, on: &painter) }
  }

  /// What the cluster has to say of a job, the latest at the end.
  private func draw(_ entry: ClusterState.Entry, in rect: Rect, on painter: inout Painter) {
    painter.frame.drawBox(
      rect, style: painter.style(.border), glyphs: state.glyphs.box, title: entry.job.id,
      titleStyle: painter.style(.strong))
    let inside = rect.inset(columns: 2, rows: 1)
    let steps = entry.job.steps.joined(separator: ", ")
    let heading = [
      painter.segment((entry.state?.word ?? "sent") + "  "),
      painter.segment("\(steps)  \(entry.job.cluster)  \(entry.job.folder)", .dim),
    ]
    painter.put(heading, at: inside.origin, maxColumns: inside.columns)
    var lines = entry.log.map { painter.segment($0) }
    if let outage = entry.outage { lines.append(painter.segment(outage, .warn)) }
    for (offset, line) in lines.suffix(max(0, inside.rows - 1)).enumerated() {
      painter.put(
        [line], at: Point(column: inside.column, row: inside.row + 1 + offset),
        maxColumns: inside.columns)
    }
  }

  private func drawList(in rect: Rect, on painter: inout Painter) {
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
      painter.segment(painter.fit(subject: job.subject, min(36, columns / 3)) + "  ", .dim),
    ]
    switch job.outcome {
    case .finished:
      segments.append(painter.segment("done", .ok))
      let figures = (job.result ?? "").split(separator: "   ").map {
        [painter.segment("   " + $0)]
      }
      segments += Painter.fitting(figures, columns - Painter.width(of: segments))
    case .cancelled: segments.append(painter.segment("cancelled", .warn))
    case .failed(let reason): segments.append(painter.segment("failed: \(reason)", .error))
    case nil:
      segments += JobText(job).progress(barColumns: 14, painter)
      if let entry = state.cluster.entries[job.id] {
        let word = entry.outage == nil ? entry.progress?.step ?? entry.state?.word : "no answer"
        segments.append(painter.segment("  " + (word ?? "sent"), .dim))
      }
    }
    return segments
  }
}
