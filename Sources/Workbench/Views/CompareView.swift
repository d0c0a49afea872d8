import Allocation
import Checkpoints
import Compression
import Engine
import Inference
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
    drawList(plans, in: layout, on: &painter)
    drawTabs(in: layout, on: &painter)
    CompareDetailView(state: state, plans: plans).draw(in: layout, on: &painter)
  }

  // MARK: List

  private func drawList(
    _ plans: [Snapshot], in layout: CompareLayout, on painter: inout Painter
  ) {
    let (columns, nameWidth) = SnapshotColumn.fitting(layout.rows.columns - 4)
    let heading =
      "  " + painter.fit("", nameWidth)
      + columns.map { "  " + painter.fit($0.rawValue, $0.width, .trailing) }.joined()
    painter.put(
      heading, .dim, at: Point(column: layout.heading.column + 1, row: layout.heading.row),
      maxColumns: layout.heading.columns - 2)
    let rows = plans.enumerated().map { index, plan in
      let isPicked = state.snapshots.picked.contains(index)
      return [
        painter.segment(isPicked ? state.glyphs.mark : " ", .mark), painter.segment(" "),
        painter.segment(painter.fit(plan.name, nameWidth), index == 0 ? .strong : .text),
      ]
        + columns.map { column in
          let cell = cell(column, of: plan, painter)
          return Segment(
            "  " + painter.fit(cell.text, column.width, .trailing), cell.style)
        }
    }
    ListView(rows: rows, cursor: state.snapshots.cursor, isFocused: true)
      .draw(in: layout.rows, on: &painter)
    if plans.count == 1, layout.rows.rows > 1 {
      painter.put(
        [painter.segment("c", .key), painter.segment(" keeps the plan as a snapshot", .dim)],
        at: Point(column: layout.rows.column + 3, row: layout.rows.row + 1),
        maxColumns: layout.rows.columns - 4)
    }
  }

  private func cell(
    _ column: SnapshotColumn, of plan: Snapshot, _ painter: Painter
  ) -> Segment {
    let result = plan.evaluation?.result
    let none = painter.segment(state.glyphs.dash, .dim)
    switch column {
    case .bytes: return painter.segment(Figures.totalBytes(plan.bytes))
    case .bpw: return painter.segment(Figures.fixed(plan.bitsPerWeight, 2))
    case .ppl:
      guard let ppl = result?.compressedPPL ?? result?.referencePPL else { return none }
      return painter.segment(text(ppl, decimals: 2))
    case .kld:
      if let mean = result?.divergence?.mean {
        let error = mean.standardError.map { state.glyphs.plusMinus + Figures.significant($0) }
        return painter.segment(Figures.significant(mean.value) + (error ?? ""), .strong)
      }
      guard let divergence = plan.divergence else { return none }
      return painter.segment("~" + Figures.significant(divergence.value))
    case .top1:
      return result?.top1Agreement.map { painter.segment(Figures.percent($0.value)) } ?? none
    case .speed:
      return plan.answer.map { painter.segment(Figures.fixed($0.tokensPerSecond, 1)) } ?? none
    case .text:
      return painter.segment(plan.evaluation?.textPath.fileName ?? "", .dim)
    }
  }

  private func text(_ estimate: Estimate, decimals: Int) -> String {
    let error = estimate.standardError.map {
      state.glyphs.plusMinus + Figures.fixed($0, decimals)
    }
    return Figures.fixed(estimate.value, decimals) + (error ?? "")
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
    painter.put(
      summary(first, second, painter),
      at: Point(column: layout.summary.column + 1, row: layout.summary.row),
      maxColumns: layout.summary.columns - 2)
    switch state.snapshots.tab {
    case .layers: drawLayers(first, second, in: layout.detail, on: &painter)
    case .answers: drawAnswers(first, second, in: layout.detail, on: &painter)
    }
  }

  /// `a → b   KLD +0.0031 ±0.0004 paired   -4.2 MB`.
  private func summary(_ first: Snapshot, _ second: Snapshot, _ painter: Painter) -> [Segment] {
    let bytes = second.bytes - first.bytes
    let size = painter.segment("   \(bytes < 0 ? "-" : "+")\(Figures.totalBytes(abs(bytes)))")
    var segments = [
      painter.segment(first.name, .strong), painter.segment(" \(state.glyphs.arrow) ", .dim),
      painter.segment(second.name, .strong),
    ]
    if let one = first.evaluation, let other = second.evaluation, one.textPath == other.textPath,
      let difference = other.result.pairedDifference(from: one.result)
    {
      let error = difference.standardError.map {
        " \(state.glyphs.plusMinus)\(Figures.significant($0))"
      }
      segments.append(
        painter.segment("   KLD \(Self.signed(difference.value))\(error ?? "")", .strong))
      segments.append(painter.segment(" paired", .dim))
    } else if let one = first.predicted, let other = second.predicted,
      first.evaluation == nil, second.evaluation == nil
    {
      segments.append(painter.segment("   KLD ~\(Self.signed(other.mean - one.mean))"))
      segments.append(painter.segment(" predicted", .dim))
    } else if first.divergence != nil, second.divergence != nil {
      // A measured KLD and a predicted one, or those on two texts, have no difference that says anything.
      segments.append(painter.segment("   x measures both on one text", .dim))
    }
    return segments + [size]
  }

  private static func signed(_ value: Double) -> String {
    (value < 0 ? "-" : "+") + Figures.significant(abs(value))
  }

  private func drawLayers(
    _ first: Snapshot, _ second: Snapshot, in rect: Rect, on painter: inout Painter
  ) {
    guard let model = state.model else { return }
    let changes = model.changes(
      from: model.assignment(first.schemes), to: model.assignment(second.schemes))
    let rows = changes.map { change in
      let layer = model.layers[change.layer]
      let name = (layer.block.map { "\($0)." } ?? "") + layer.role.rawValue
      let width = max(12, (rect.columns - 22) / 2)
      return [
        painter.segment(painter.fit(name, 15)),
        painter.segment(
          painter.fit(change.from.summary, width), ThemeRole(bits: change.from.quantization?.bits)),
        painter.segment(" \(state.glyphs.arrow) ", .dim),
        painter.segment(
          painter.fit(change.to.summary, width), ThemeRole(bits: change.to.quantization?.bits)),
      ]
    }
    ListView(
      rows: rows.isEmpty ? [[painter.segment("All layers have the same scheme", .dim)]] : rows,
      cursor: min(state.snapshots.scroll, max(0, rows.count - 1)), isFocused: false
    ).draw(in: rect, on: &painter)
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
