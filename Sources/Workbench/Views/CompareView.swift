import Sessions
import Terminal

/// The Compare screen: plans side by side, and what two of them differ in.
struct CompareView {
  let state: AppState

  func draw(in body: Rect, on painter: inout Painter) {
    let plans = state.compared
    let layout = CompareLayout(body: body, count: plans.count)
    painter.frame.drawBox(
      layout.listBox, style: painter.style(.focus), glyphs: state.glyphs.box, title: "Compare",
      titleStyle: painter.style(.focus))
    painter.frame.drawBox(
      layout.detailBox, style: painter.style(.border), glyphs: state.glyphs.box)
    guard !plans.isEmpty else {
      painter.put(
        "No model is open", .dim, at: layout.heading.origin, maxColumns: layout.heading.columns)
      return
    }
    PlanListView(
      state: state, columns: SnapshotColumn.importance, count: plans.count,
      cursor: state.snapshots.cursor,
      row: { index in
        PlanListView.Row(
          plan: plans[index], isStrong: index == 0,
          isPicked: state.snapshots.picked.contains(index))
      }
    ).draw(in: layout, on: &painter)
    if plans.count == 1, layout.rows.rows > 1 {
      painter.put(
        [painter.segment("c", .key), painter.segment(" keeps the plan as a snapshot", .dim)],
        at: Point(column: layout.rows.column + 3, row: layout.rows.row + 1),
        maxColumns: layout.rows.columns - 4)
    }
    drawTabs(in: layout, on: &painter)
    CompareDetailView(state: state, plans: plans).draw(in: layout, on: &painter)
  }

  private func drawTabs(in layout: CompareLayout, on painter: inout Painter) {
    for (tab, place) in zip(SnapshotList.Tab.allCases, layout.tabs.tabs) {
      let isShown = tab == state.snapshots.tab
      painter.put(
        isShown ? "[\(place.label)]" : " \(place.label) ", isShown ? .strong : .dim,
        at: place.rect.origin, maxColumns: place.rect.columns)
    }
  }
}

/// What two plans differ in: their measured KLD, their layers, or their answers.
private struct CompareDetailView {
  let state: AppState
  let plans: [Snapshot]

  func draw(in layout: CompareLayout, on painter: inout Painter) {
    guard let pair = state.snapshots.pair, plans.indices.contains(pair.first),
      plans.indices.contains(pair.second)
    else {
      painter.put(
        "space picks two plans to compare", .dim,
        at: Point(column: layout.summary.column + 1, row: layout.summary.row),
        maxColumns: layout.summary.columns - 2)
      return
    }
    let (first, second) = (plans[pair.first], plans[pair.second])
    let difference = PlanDifferenceView(state: state, first: first, second: second)
    difference.drawSummary(in: layout.summary, on: &painter)
    switch state.snapshots.tab {
    case .layers:
      difference.drawLayers(in: layout.detail, scrolledBy: state.snapshots.scroll, on: &painter)
    case .answers: drawAnswers(first, second, in: layout.detail, on: &painter)
    }
  }

  private func drawAnswers(
    _ first: Snapshot, _ second: Snapshot, in rect: Rect, on painter: inout Painter
  ) {
    let half = (rect.columns - 3) / 2
    let prompts = Set([first, second].compactMap { $0.answer?.prompt })
    for (plan, place) in [
      (first, rect.splitLeft(half).left), (second, rect.splitRight(half).right),
    ] {
      let inside = place.inset(columns: 1, rows: 0)
      guard let answer = plan.answer else {
        painter.put(
          "no answer yet: p asks while this is the plan", .dim, at: inside.origin,
          maxColumns: inside.columns)
        continue
      }
      painter.put(
        [
          painter.segment("> ", .dim),
          painter.segment(prompts.count > 1 ? "another prompt: " : "", .warn),
          painter.segment(answer.prompt, .strong),
        ], at: inside.origin, maxColumns: inside.columns)
      let lines = wrapped(answer.text, columns: max(1, inside.columns))
        .dropFirst(state.snapshots.scroll).prefix(max(0, inside.rows - 1))
      for (offset, line) in lines.enumerated() {
        painter.put(
          String(line), at: Point(column: inside.column, row: inside.row + 1 + offset),
          maxColumns: inside.columns)
      }
    }
  }
}
