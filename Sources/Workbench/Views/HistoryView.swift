import Sessions
import Terminal

/// The History screen: every evaluated plan, and what restoring the one under the cursor changes.
struct HistoryView {
  let state: AppState

  func draw(in body: Rect, on painter: inout Painter) {
    let evaluations = state.evaluations
    let layout = CompareLayout(body: body, count: evaluations.all.count)
    painter.frame.drawBox(
      layout.listBox, style: painter.style(.focus), glyphs: state.glyphs.box, title: "History",
      titleStyle: painter.style(.focus))
    painter.frame.drawBox(
      layout.detailBox, style: painter.style(.border), glyphs: state.glyphs.box)
    guard !evaluations.all.isEmpty else {
      painter.put(
        [
          painter.segment("x", .key),
          painter.segment(" measures the plan on a text; what it finds is kept here", .dim),
        ], at: Point(column: layout.rows.column + 1, row: layout.rows.row),
        maxColumns: layout.rows.columns - 2)
      return
    }
    PlanListView(
      state: state, columns: SnapshotColumn.importanceInHistory, count: evaluations.all.count,
      cursor: evaluations.cursor,
      row: { place in
        let entry = evaluations.newest(place)
        return PlanListView.Row(
          plan: state.evaluatedPlan(entry), when: entry.evaluation.finished,
          isStrong: entry.evaluation == evaluations.current)
      }
    ).draw(in: layout, on: &painter)
    drawDifference(in: layout, on: &painter)
  }

  private func drawDifference(in layout: CompareLayout, on painter: inout Painter) {
    guard let now = state.currentSnapshot, let entry = state.evaluations.selected else { return }
    guard let schemes = entry.schemes else {
      painter.put(
        "This plan is of the model pruned otherwise; Enter restores it", .dim,
        at: Point(column: layout.summary.column + 1, row: layout.summary.row),
        maxColumns: layout.summary.columns - 2)
      return
    }
    let difference = PlanDifferenceView(
      state: state, first: now, second: state.evaluatedPlan(entry, schemes: schemes))
    difference.drawSummary(in: layout.summary, on: &painter)
    difference.drawLayers(
      in: layout.detail, scrolledBy: state.evaluations.scroll, on: &painter)
  }
}
