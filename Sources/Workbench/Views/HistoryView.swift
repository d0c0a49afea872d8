import Sessions
import Terminal

/// The History screen: every evaluated plan, and what restoring the one under the cursor changes.
struct HistoryView {
  let state: AppState

  func draw(in body: Rect, on painter: inout Painter) {
    let plans = state.evaluatedPlans
    let layout = CompareLayout(body: body, count: plans.count)
    painter.frame.drawBox(
      layout.listBox, style: painter.style(.focus), glyphs: state.glyphs.box, title: "History",
      titleStyle: painter.style(.focus))
    painter.frame.drawBox(
      layout.detailBox, style: painter.style(.border), glyphs: state.glyphs.box)
    guard !plans.isEmpty else {
      painter.put(
        [
          painter.segment("x", .key),
          painter.segment(" measures the plan on a text; what it finds is kept here", .dim),
        ], at: Point(column: layout.rows.column + 1, row: layout.rows.row),
        maxColumns: layout.rows.columns - 2)
      return
    }
    let current = state.evaluations.current
    PlanListView(
      state: state, columns: SnapshotColumn.importanceInHistory,
      rows: zip(plans, state.evaluations.newestFirst).map { plan, entry in
        PlanListView.Row(
          plan: plan, when: entry.evaluation.finished, isStrong: entry.evaluation == current)
      }, cursor: state.evaluations.cursor
    ).draw(in: layout, on: &painter)
    drawDifference(from: plans, in: layout, on: &painter)
  }

  private func drawDifference(
    from plans: [Snapshot], in layout: CompareLayout, on painter: inout Painter
  ) {
    guard let now = state.currentSnapshot, plans.indices.contains(state.evaluations.cursor) else {
      return
    }
    guard state.evaluations.selected?.schemes != nil else {
      painter.put(
        "This plan is of the model pruned otherwise; Enter restores it", .dim,
        at: Point(column: layout.summary.column + 1, row: layout.summary.row),
        maxColumns: layout.summary.columns - 2)
      return
    }
    let difference = PlanDifferenceView(
      state: state, first: now, second: plans[state.evaluations.cursor])
    difference.drawSummary(in: layout.summary, on: &painter)
    difference.drawLayers(
      in: layout.detail, scrolledBy: state.evaluations.scroll, on: &painter)
  }
}
