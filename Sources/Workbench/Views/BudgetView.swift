import Allocation
import Checkpoints
import Compression
import Engine
import Export
import Fitting
import Sessions
import Terminal

/// The Budget screen: the frontier, what is proposed for the budget, and what it would change.
struct BudgetView {
  let state: AppState

  func draw(in body: Rect, on painter: inout Painter) {
    let layout = BudgetLayout(body: body)
    painter.frame.drawBox(
      layout.plotBox, style: painter.style(.focus), glyphs: state.glyphs.box,
      title: "Budget", titleStyle: painter.style(.focus))
    drawNote(in: layout.plotBox, on: &painter)
    if let axes = FrontierAxes(state) {
      FrontierView(state: state, layout: layout, axes: axes).draw(on: &painter)
    } else {
      drawGuide(in: layout.plotBox.inset(columns: 2, rows: 1), on: &painter)
    }
    painter.frame.drawBox(
      layout.side, style: painter.style(.border), glyphs: state.glyphs.box,
      title: title,
      titleStyle: painter.style(.strong))
    let figures = figures(painter, columns: layout.figures.columns)
    for (offset, line) in figures.prefix(layout.figures.rows).enumerated() {
      painter.put(
        line, at: Point(column: layout.figures.column, row: layout.figures.row + offset),
        maxColumns: layout.figures.columns)
    }
    BudgetListView(state: state).draw(in: layout, on: &painter)
  }

  /// The budget, and whose files it is about.
  private var title: String {
    guard let budget = state.budget.target else { return "No budget yet" }
    let owner = state.target.map { " for \($0.rawValue)" } ?? ""
    return "Budget \(BudgetWords.text(budget))\(owner)"
  }

  private func drawNote(in rect: Rect, on painter: inout Painter) {
    guard state.budget.frontier != nil else { return }
    painter.put(
      [painter.segment(" KLD by bytes, predicted ", .dim)], endingAt: rect.endColumn - 2,
      row: rect.row, maxColumns: rect.columns - 14)
  }

  // MARK: Before there is anything to draw

  private func drawGuide(in rect: Rect, on painter: inout Painter) {
    var lines: [[Segment]] = []
    if state.model == nil {
      lines = [[painter.segment("No model is open", .strong)]]
    } else if let job = state.jobs.running(.sensitivity) {
      lines = [[painter.segment("Measuring sensitivity", .strong)]]
      lines.append(JobText(job).progress(barColumns: min(30, rect.columns / 2), painter))
      lines.append([painter.segment("ctrl-c cancels; F2 goes on with the layers meanwhile", .dim)])
    } else if let target = state.target, !state.budget.choices.suit(target) {
      lines = [
        [
          painter.segment("\(target.rawValue) can hold none of the schemes to choose from", .strong)
        ],
        [], [painter.segment("X", .key), painter.segment(" measures such as it can")],
        [painter.segment(":target none", .key), painter.segment(" plans for no target")],
      ]
    } else if state.model?.sensitivity.isEmpty == false {
      lines = [[painter.segment("Drawing the frontier", .dim)]]
    } else {
      lines = [
        [painter.segment("What a layer's error costs is not measured yet", .strong)], [],
        [painter.segment("X", .key), painter.segment(" measures it on a text")],
        [
          painter.segment(":sensitivity open PATH", .key),
          painter.segment(" reads what was saved"),
        ],
        [
          painter.segment(":sensitivity save PATH", .key),
          painter.segment(" says where measuring saves"),
        ],
      ]
    }
    let top = rect.row + max(0, (rect.rows - lines.count) / 2)
    let width = lines.map { Painter.width(of: $0) }.max() ?? 0
    let left = rect.column + max(0, (rect.columns - width) / 2)
    for (offset, line) in lines.enumerated() where top + offset < rect.endRow {
      painter.put(
        line, at: Point(column: left, row: top + offset), maxColumns: rect.endColumn - left)
    }
  }

  // MARK: Figures

  private func figures(_ painter: Painter, columns: Int) -> [[Segment]] {
    let budget = state.budget
    var lines: [[Segment]] = []
    if let refusal = budget.refusal {
      lines.append([painter.segment("!! " + refusal, .error)])
    }
    if let proposal = budget.proposal {
      lines.append(proposalLine(proposal, painter))
      if let line = activeLine(proposal, painter) { lines.append(line) }
      lines.append(standingLine(proposal, painter))
      lines.append(currentLine(painter))
    } else if budget.refusal == nil {
      lines.append([
        painter.segment(
          state.model?.sensitivity.isEmpty == false
            ? "b types a size, bpw or kld=; left and right move the line" : "nothing is solved yet",
          .dim)
      ])
    }
    lines.append(optionsLine(painter))
    if let agreement = budget.agreement {
      lines.append(AgreementText(agreement).segments(painter))
    }
    if let calibration = state.calibration {
      lines.append(
        CalibrationFigures(calibration, glyphs: state.glyphs).segments(
          painter, columns: columns))
    }
    return lines
  }

  private func proposalLine(_ proposal: AllocationResult, _ painter: Painter) -> [Segment] {
    let isExact = state.budget.forecast?.isExact ?? true
    return [
      painter.segment((isExact ? "" : "~") + Figures.totalBytes(proposal.bytes), .strong),
      painter.segment("   \(Figures.fixed(proposal.bitsPerWeight, 2)) bpw"),
      painter.segment("   KLD ~\(Figures.significant(proposal.divergence.mean))", .strong),
      painter.segment(state.budget.isPending ? " \(state.glyphs.ellipsis)" : " predicted", .dim),
    ]
  }

  /// Of a mixture, what one token is multiplied with, which decides how fast it answers; nil for other models.
  private func activeLine(_ proposal: AllocationResult, _ painter: Painter) -> [Segment]? {
    guard let model = state.model?.description else { return nil }
    let served = ServedModel(
      model, schemes: model.layers.map { proposal.schemes[$0.name] ?? .keep }, forecast: nil)
    guard served.hasExperts else { return nil }
    return [
      painter.segment("active ", .dim), painter.segment(Figures.totalBytes(served.activeBytes)),
      painter.segment(" a token, all of it resident", .dim),
    ]
  }

  private func standingLine(_ proposal: AllocationResult, _ painter: Painter) -> [Segment] {
    let low = Figures.significant(proposal.divergence.low)
    let high = Figures.significant(proposal.divergence.high)
    return [
      painter.segment("band ", .dim), painter.segment("\(low) to \(high)"),
      painter.segment(proposal.gap > 0 ? "   \(Figures.percent(proposal.gap)) from " : "   ", .dim),
      painter.segment("the best", .dim),
    ]
  }

  private func currentLine(_ painter: Painter) -> [Segment] {
    guard let current = state.currentSnapshot else { return [] }
    var segments = [
      painter.segment("plan now ", .dim), painter.segment(Figures.totalBytes(current.bytes)),
    ]
    if let divergence = current.divergence {
      segments.append(
        painter.segment(
          "   KLD \(divergence.isMeasured ? "" : "~")\(Figures.significant(divergence.value))"))
      segments.append(painter.segment(divergence.isMeasured ? " measured" : " predicted", .dim))
    }
    return segments
  }

  private func optionsLine(_ painter: Painter) -> [Segment] {
    let budget = state.budget
    func option(_ name: String, _ value: String) -> [Segment] {
      [painter.segment(name + " ", .dim), painter.segment(value)]
    }
    let limits = state.target.map(TargetLimits.of)
    let isFused = budget.fusesLayers || limits?.fusesLayers == true
    return Array(
      [
        option("solver", budget.isExact ? "exact" : "quick"),
        option("fused", isFused ? "q k v, gate up" : "no"),
        option("pins", String(budget.pinned.count)),
        option("schemes", "\(budget.choices.allowed.count)/\(budget.choices.schemes.count)"),
      ].joined(separator: [painter.segment("  ")]))
  }
}

/// The list beside the frontier: layers that change, or schemes to choose from.
struct BudgetListView {
  let state: AppState

  func draw(in layout: BudgetLayout, on painter: inout Painter) {
    let changes = state.budgetChanges
    for (list, tab) in zip(BudgetState.List.allCases, layout.tabs.tabs) {
      let isShown = list == state.budget.list
      painter.put(
        isShown ? "[\(tab.label)]" : " \(tab.label) ", isShown ? .strong : .dim,
        at: tab.rect.origin, maxColumns: tab.rect.columns)
    }
    let note =
      state.budget.list == .schemes
      ? "space allows, a the family"
      : "\(changes.count) \(state.budget.baseline == .plan ? "from the plan" : "since the last solve")"
    painter.put(
      [painter.segment(note, .dim)], endingAt: layout.side.endColumn - 2,
      row: layout.rows.row - 1,
      maxColumns: layout.side.endColumn - layout.tabs.endColumn - 3)
    let rows: [[Segment]] =
      switch state.budget.list {
      case .changes: changes.map { line($0, columns: layout.rows.columns - 2, painter) }
      case .schemes:
        state.budget.choices.schemes.map { scheme in
          let isAllowed = state.budget.choices.allowed.contains(scheme)
          return [
            painter.segment(isAllowed ? "[x] " : "[ ] ", isAllowed ? .mark : .dim),
            painter.segment(scheme.summary, isAllowed ? .text : .dim),
          ]
        }
      }
    ListView(rows: rows, cursor: state.budget.cursor, isFocused: true)
      .draw(in: layout.rows, on: &painter)
  }

  /// `12.down_proj   Q4_K gptq → Q5_K gptq   +120 KB`.
  private func line(
    _ change: LayerChange, columns: Int, _ painter: Painter
  ) -> [Segment] {
    guard let model = state.model else { return [] }
    let layer = model.layers[change.layer]
    let name = (layer.block.map { "\($0)." } ?? "") + layer.role.rawValue
    let difference =
      model.bytes(of: change.layer, under: change.to)
      - model.bytes(of: change.layer, under: change.from)
    let size = (difference < 0 ? "-" : "+") + Figures.bytes(abs(difference))
    let isPinned = state.budget.pinned.contains(layer.name)
    let room = max(10, columns - 14 - 10)
    let text = change.text(arrow: state.glyphs.arrow)
    return [
      painter.segment(isPinned ? "\(state.glyphs.pin) " : "  ", .mark),
      painter.segment(painter.fit(name, 13)),
      painter.segment(painter.fit(text, room - 2), ThemeRole(bits: change.to.quantization?.bits)),
      painter.segment(painter.fit(size, 10, .trailing), .dim),
    ]
  }
}
