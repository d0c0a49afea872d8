import Compression
import Fitting
import Tensors
import Terminal

/// The Hardware screen: whether the plan fits machines, how fast it is there, and how each figure comes about.
struct HardwareView {
  let state: AppState

  func draw(in body: Rect, on painter: inout Painter) {
    let layout = HardwareLayout(body: body, count: state.hardware.rowCount)
    painter.frame.drawBox(
      layout.listBox, style: painter.style(.focus), glyphs: state.glyphs.box, title: "Hardware",
      titleStyle: painter.style(.focus))
    painter.put(
      requestSegments(painter), endingAt: layout.listBox.endColumn - 2, row: layout.listBox.row,
      maxColumns: layout.listBox.columns - 14)
    painter.frame.drawBox(
      layout.detailBox, style: painter.style(.border), glyphs: state.glyphs.box)
    guard let model = state.servedModel else {
      painter.put(
        "No model is open", .dim,
        at: Point(column: layout.heading.column + 1, row: layout.heading.row),
        maxColumns: layout.heading.columns - 2)
      return
    }
    drawList(of: model, in: layout, on: &painter)
    drawDetail(in: layout, on: &painter)
  }

  /// ` context 8k · 1 sequence · keys and values f16 `.
  private func requestSegments(_ painter: Painter) -> [Segment] {
    let request = state.hardware.request
    let parts = [
      ("context ", TokenCount.text(request.context)), ("batch ", "\(request.batch)"),
      ("kv ", request.cache.rawValue), ("in ", ServingEngine(state.target).rawValue),
    ]
    return [painter.segment(" ")]
      + parts.flatMap { part in
        [painter.segment(part.0, .dim), painter.segment(part.1 + " ", .strong)]
      }
  }

  private func drawList(
    of model: ServedModel, in layout: HardwareLayout, on painter: inout Painter
  ) {
    let (columns, nameWidth) = MachineColumn.fitting(layout.rows.columns - 2)
    let heading =
      painter.fit("machine", nameWidth)
      + columns.map { "  " + painter.fit($0.rawValue, $0.width, $0.alignment) }.joined()
    painter.put(
      heading, .dim, at: Point(column: layout.heading.column + 1, row: layout.heading.row),
      maxColumns: layout.heading.columns - 2)
    let rows = (0..<state.hardware.rowCount).map { row -> [Segment] in
      let name = row == 0 ? "this machine" : state.hardware.machine(row)?.id ?? ""
      let title = painter.segment(painter.fit(name, nameWidth), row == 0 ? .strong : .text)
      guard let machine = state.hardware.machine(row) else {
        return [title, painter.segment("  is being measured\(state.glyphs.ellipsis)", .dim)]
      }
      let fit = state.fit(on: machine, of: model)
      return [title]
        + columns.map { column in
          let (text, role) = cell(column, of: fit)
          return painter.segment(
            "  " + painter.fit(text, column.width, column.alignment), role)
        }
    }
    ListView(rows: rows, cursor: state.hardware.cursor, isFocused: true)
      .draw(in: layout.rows, on: &painter)
  }

  private func cell(_ column: MachineColumn, of fit: Fit) -> (String, ThemeRole) {
    let none = (state.glyphs.dash, ThemeRole.dim)
    switch column {
    case .memory: return (Figures.totalBytes(fit.machine.memory), .dim)
    case .needed: return (Figures.totalBytes(fit.memory.total), .text)
    // The sign tells without colour.
    case .left:
      return (
        (fit.fits ? "" : "-") + Figures.totalBytes(abs(fit.left)), fit.fits ? .ok : .error
      )
    case .context:
      return fit.largestContext.map { (TokenCount.text($0), .text) } ?? ("none", .error)
    case .bound:
      return fit.fits
        ? (fit.speed.decodeAtStart.bound.rawValue, .text) : ("too little memory", .error)
    case .prompt:
      return fit.fits ? ("~" + Figures.significant(fit.speed.prefillRate), .text) : none
    case .decode:
      return fit.fits ? ("~" + Figures.significant(fit.speed.rateAtStart), .strong) : none
    case .joules: return fit.joulesAToken.map { ("~" + Figures.significant($0), .text) } ?? none
    case .cost: return fit.costAMillion.map { ("~" + Figures.significant($0), .text) } ?? none
    }
  }

  private func drawDetail(in layout: HardwareLayout, on painter: inout Painter) {
    let box = layout.detailBox
    let name = state.hardware.machine(state.hardware.cursor)?.name ?? "this machine"
    painter.put(
      " \(name) ", .strong, at: Point(column: box.column + 2, row: box.row),
      maxColumns: box.columns - 4)
    let all = FitRows(state, columns: layout.detail.columns).rows
    for (offset, row) in all.dropFirst(state.hardware.scroll).prefix(layout.detail.rows)
      .enumerated()
    {
      painter.put(
        row.map { painter.segment($0.text, $0.role) },
        at: Point(column: layout.detail.column, row: layout.detail.row + offset),
        maxColumns: layout.detail.columns)
    }
    let hidden = all.count - state.hardware.scroll - layout.detail.rows
    guard hidden > 0 else { return }
    painter.put(
      [painter.segment(" \(hidden) more, PgDn ", .dim)], endingAt: box.endColumn - 2,
      row: box.endRow - 1, maxColumns: box.columns - 4)
  }
}

/// The figures of the machine under the cursor, wrapped into rows.
struct FitRows {
  /// A piece of a row.
  struct Piece: Hashable {
    let text: String
    let role: ThemeRole
  }

  let rows: [[Piece]]

  init(_ state: AppState, columns: Int) {
    guard let machine = state.hardware.machine(state.hardware.cursor),
      let model = state.servedModel
    else {
      rows = []
      return
    }
    let fit = state.fit(on: machine, of: model)
    let (nameWidth, valueWidth) = (17, 14)
    let room = max(10, columns - nameWidth - valueWidth)
    let indent = String(repeating: " ", count: nameWidth + valueWidth)
    var rows: [[Piece]] = []
    for line in fit.lines {
      var how = wrapped(line.how, columns: room).map(String.init)[...]
      // A long value has a row to itself.
      let isLong = line.value.count > valueWidth - 2
      let first = isLong ? "" : how.popFirst() ?? ""
      rows.append([
        Piece(text: padded(line.name, to: nameWidth, ellipsis: ""), role: .dim),
        Piece(
          text: isLong ? line.value : padded(line.value, to: valueWidth, ellipsis: ""),
          role: line.standing.role),
        Piece(text: first, role: .dim),
      ])
      rows += how.map { [Piece(text: indent + $0, role: .dim)] }
    }
    rows += [[]] + Self.roleRows(of: fit)
    rows += [[]] + machine.sources.map { [Piece(text: $0, role: .dim)] }
    self.rows = rows
  }

  /// What a decode step takes for the layers of each role.
  private static func roleRows(of fit: Fit) -> [[Piece]] {
    let total = fit.speed.decodeAtStart.total
    return fit.speed.roles.map { role in
      let name = padded(role.role, to: 17, ellipsis: ".")
      let bytes = padded(Figures.totalBytes(role.bytes), to: 14, ellipsis: "")
      let share = total > 0 ? Figures.percent(role.seconds / total) : ""
      return [
        Piece(text: name, role: .dim), Piece(text: bytes, role: .text),
        Piece(
          text: "\(Figures.significant(role.seconds * 1000)) ms of a step, \(share)", role: .dim),
      ]
    }
  }
}

extension MachineColumn {
  fileprivate var alignment: TextAlignment { self == .bound ? .leading : .trailing }
}

extension FitLine.Standing {
  fileprivate var role: ThemeRole {
    switch self {
    case .plain: .text
    case .sum: .strong
    case .good: .ok
    case .bad: .error
    }
  }
}
