import Checkpoints
import Compression
import Engine
import Tensors
import Terminal

/// One row of the table: a block's heading with its sums, or a layer.
struct TableRowView {
  let state: AppState
  let model: OpenModel
  let columns: TableColumns
  /// Of all layers, which a layer's share is of.
  private let allBytes: Int

  init(state: AppState, model: OpenModel, columns: TableColumns) {
    (self.state, self.model, self.columns) = (state, model, columns)
    let needsAll = columns.places.contains { $0.column == .share }
    allBytes = needsAll ? model.layers.indices.reduce(0) { $0 + model.size($1).total } : 0
  }

  func draw(_ place: Int, in rect: Rect, on painter: inout Painter) {
    let row = state.table.rows[place]
    drawMark(row, place, in: rect, on: &painter)
    let layers = state.table.layers(of: row, in: model)
    let cells: [Segment]
    switch row {
    case .layer(let index):
      drawName(of: index, in: rect, on: &painter)
      cells = columns.places.map { cell($0.column, of: index, painter) }
    case .block(let block):
      drawName(ofBlock: block, layers, in: rect, on: &painter)
      let summary = model.summary(of: layers)
      cells = columns.places.map { cell($0.column, of: summary, layers, painter) }
    }
    for (place, cell) in zip(columns.places, cells) {
      painter.put(
        [Segment(painter.fit(cell.text, place.width, .trailing), cell.style)],
        at: Point(column: rect.column + place.start, row: rect.row), maxColumns: place.width)
    }
    select(place, in: rect, on: &painter)
  }

  private func select(_ place: Int, in rect: Rect, on painter: inout Painter) {
    let isCursor = place == state.table.cursor
    guard isCursor || state.table.range?.contains(place) == true else { return }
    let isActive = isCursor && state.pane == .table
    let styles = painter.styles
    painter.frame.restyle(rect) {
      $0 = styles.selected($0, isActive ? .selection : .selectionInactive)
    }
  }

  private func drawMark(
    _ row: TableRow, _ place: Int, in rect: Rect, on painter: inout Painter
  ) {
    let layers = state.table.layers(of: row, in: model)
    if case .layer(let index) = row, state.budget.pinned.contains(model.layers[index].name) {
      let point = Point(column: rect.column + 1, row: rect.row)
      painter.put(state.glyphs.pin, .mark, at: point, maxColumns: 1)
    }
    let marked = layers.count { state.table.marks.contains($0) }
    guard marked > 0 else { return }
    let glyph = marked == layers.count ? state.glyphs.mark : state.glyphs.partialMark
    painter.put(glyph, .mark, at: rect.origin, maxColumns: 1)
  }

  private func drawName(
    ofBlock block: Int, _ layers: [Int], in rect: Rect, on painter: inout Painter
  ) {
    let fold = state.table.isUnfolded(block) ? state.glyphs.unfolded : state.glyphs.folded
    let count = layers.count == 1 ? "1 layer" : "\(layers.count) layers"
    let name = "block \(block)"
    let misfits = layers.count { model.refusal($0) != nil }
    let sign = misfits > 0 ? "  \(state.glyphs.misfit)\(misfits)" : ""
    let isRoomy = fold.count + name.count + count.count + sign.count + 3 <= columns.nameWidth
    painter.put(
      [
        painter.segment(fold + " ", .dim), painter.segment(name, .strong),
        painter.segment(isRoomy ? "  \(count)" : "", .dim), painter.segment(sign, .warn),
      ],
      at: Point(column: rect.column + TableColumns.margin, row: rect.row),
      maxColumns: columns.nameWidth)
  }

  /// A name of several parts that is too long with fewer letters of what comes before the last: `exp.up_proj`.
  private func shortened(_ name: String, to columns: Int) -> String {
    guard displayWidth(of: name) > columns, let dot = name.lastIndex(of: ".") else { return name }
    let last = name[dot...]
    return "\(name[..<dot].prefix(max(1, columns - displayWidth(of: last))))\(last)"
  }

  private func drawName(of index: Int, in rect: Rect, on painter: inout Painter) {
    let layer = model.layers[index]
    let isNested = layer.block != nil && state.table.order == .natural
    let prefix = isNested ? "" : layer.block.map { "\($0)." } ?? ""
    let sign = model.refusal(index) == nil ? " " : state.glyphs.misfit
    var segments = [
      painter.segment(isNested ? "  " : ""), painter.segment(sign, .warn), painter.segment(" "),
      painter.segment(prefix, .dim),
    ]
    let room = columns.nameWidth - Painter.width(of: segments)
    segments += highlighted(shortened(layer.role.rawValue, to: room), painter)
    painter.put(
      segments, at: Point(column: rect.column + TableColumns.margin, row: rect.row),
      maxColumns: columns.nameWidth)
  }

  /// The label with what the filter found in it set off.
  private func highlighted(_ label: String, _ painter: Painter) -> [Segment] {
    let characters = Array(label)
    let hits = state.table.filter.highlights(in: label)
    var segments: [Segment] = []
    for (place, character) in characters.enumerated() {
      let role: ThemeRole = hits.contains { $0.contains(place) } ? .match : .text
      if let last = segments.last, last.style == painter.style(role) {
        segments[segments.count - 1].text.append(character)
      } else {
        segments.append(painter.segment(String(character), role))
      }
    }
    return segments
  }

  // MARK: Cells

  private func cell(_ column: TableColumn, of index: Int, _ painter: Painter) -> Segment {
    let layer = model.layers[index]
    let scheme = model.schemes[index]
    let blank = painter.segment("")
    let dash = scheme.keepsLayer ? blank : painter.segment(state.glyphs.dash, .dim)
    switch column {
    case .shape:
      return painter.segment("\(layer.rows)\(state.glyphs.times)\(layer.columns)", .dim)
    case .type: return painter.segment(layer.scheme?.codeType ?? layer.type.rawValue, .dim)
    case .bits:
      guard let bits = scheme.quantization?.bits else {
        return painter.segment(scheme.sparsity == nil ? "keep" : "16", .bits16)
      }
      return painter.segment(String(bits), ThemeRole(bits: bits))
    case .group:
      return scheme.quantization.map { painter.segment($0.typeName ?? "\($0.group)") }
        ?? dash
    case .method: return scheme.quantization.map { painter.segment($0.methodText) } ?? dash
    case .sparsity: return scheme.sparsity.map { painter.segment($0.pattern.shortText) } ?? dash
    case .size:
      let tilde = model.isSizeEstimate(index) ? "~" : ""
      return painter.segment(tilde + Figures.bytes(model.size(index).total))
    case .share: return share(model.size(index).total, painter)
    case .bitmask:
      return model.size(index).withBitmask.map { painter.segment(Figures.bytes($0), .dim) } ?? blank
    case .bpw: return painter.segment(Figures.fixed(model.bitsPerWeight(index), 2))
    case .decibel:
      guard !scheme.keepsLayer else { return blank }
      return decibel(
        model.currentReport(index)?.error.sqnr, isEstimate: model.standing(index) != .exact,
        isKnown: model.currentReport(index) != nil, painter)
    case .divergence:
      guard !scheme.keepsLayer else { return blank }
      return divergence(model.divergence(index), painter)
    case .sensitivity:
      return divergence(model.sensitivity(of: index)?.divergencePerRelativeError, painter)
    }
  }

  /// Of the bytes of all layers.
  private func share(_ bytes: Int, _ painter: Painter) -> Segment {
    painter.segment(Figures.percent(Double(bytes) / Double(max(allBytes, 1))))
  }

  /// A predicted KLD.
  private func divergence(_ value: Double?, _ painter: Painter) -> Segment {
    guard let value else { return painter.segment(state.glyphs.ellipsis, .dim) }
    return painter.segment("~" + Figures.significant(value))
  }

  private func cell(
    _ column: TableColumn, of summary: OpenModel.Summary, _ layers: [Int], _ painter: Painter
  ) -> Segment {
    switch column {
    case .shape, .type, .group, .method, .sensitivity: return painter.segment("")
    case .bits:
      return painter.segment(
        Figures.fixed(summary.bitsPerWeight, 1),
        ThemeRole(bits: summary.compressedCount > 0 ? Int(summary.bitsPerWeight) : nil))
    case .sparsity:
      let pruned = layers.count { model.schemes[$0].sparsity != nil }
      return pruned > 0 ? painter.segment("\(pruned)/\(layers.count)", .dim) : painter.segment("")
    case .size:
      return painter.segment((summary.isEstimate ? "~" : "") + Figures.bytes(summary.bytes))
    case .share: return share(summary.bytes, painter)
    case .bitmask:
      let sizes = layers.map { model.size($0) }
      guard sizes.contains(where: { $0.withBitmask != nil }) else { return painter.segment("") }
      let bytes = sizes.reduce(0) { $0 + ($1.withBitmask ?? $1.total) }
      return painter.segment(Figures.bytes(bytes), .dim)
    case .bpw: return painter.segment(Figures.fixed(summary.bitsPerWeight, 2))
    case .decibel:
      guard summary.compressedCount > 0 else { return painter.segment("") }
      return decibel(
        summary.sqnr, isEstimate: summary.isErrorEstimate, isKnown: summary.sqnr != nil, painter)
    case .divergence:
      guard summary.compressedCount > 0 else { return painter.segment("") }
      let known = layers.map { model.divergence($0) }
      return divergence(known.contains(nil) ? nil : known.compactMap { $0 }.reduce(0, +), painter)
    }
  }

  /// An SQNR with its standing, the more alarming the lower it is.
  private func decibel(
    _ value: Double?, isEstimate: Bool, isKnown: Bool, _ painter: Painter
  ) -> Segment {
    guard isKnown else { return painter.segment(state.glyphs.ellipsis, .dim) }
    guard let value else { return painter.segment("exact") }
    let alarm = (40 - value) / 32
    return Segment((isEstimate ? "~" : "") + Figures.fixed(value, 1), painter.styles.heat(alarm))
  }
}

extension QuantizationScheme {
  /// The method, then `m` for an MSE-searched and `w` for a weighted range, `z` for zero points.
  fileprivate var methodText: String {
    let search =
      switch range {
      case .minMax: ""
      case .mse: "m"
      case .weighted: "w"
      }
    let variants = search + (isSymmetric ? "" : "z")
    return variants.isEmpty ? method.rawValue : "\(method.rawValue) \(variants)"
  }
}

extension SparsityPattern {
  /// `50%` or `2:4`.
  fileprivate var shortText: String {
    switch self {
    case .unstructured(let ratio): Figures.percent(ratio)
    case .structured(let kept, let of): "\(kept):\(of)"
    }
  }
}
