import Checkpoints

/// One row of the table.
enum TableRow: Hashable, Sendable {
  /// The heading of a block, by the block's number.
  case block(Int)
  /// A layer, by its index.
  case layer(Int)
}

/// The table of layers: which rows there are, where the cursor is, what is marked.
///
/// Rows are worked out once after each change that moves them, not with every frame.
struct LayerTable: Hashable, Sendable {
  private(set) var rows: [TableRow] = []
  /// Index of the row under the cursor; 0 in an empty table.
  private(set) var cursor = 0
  /// Index of the first row on the screen.
  private(set) var top = 0
  private(set) var folded: Set<Int> = []
  /// Indices of marked layers, shown or not.
  var marks: Set<Int> = []
  /// The row where a range began; the range ends at the cursor.
  private(set) var anchor: Int?
  private(set) var filter = LayerFilter("")
  /// What `n` and `N` look for: the last filter that was not empty.
  private(set) var pattern: LayerFilter?
  private(set) var order = SortOrder.natural
  /// The columns that were asked for; nil shows what has room.
  var columns: [TableColumn]?
  /// Layers that the filter let through when it was last asked: what a change makes of a layer does not take it away.
  private(set) var matching: [Int] = []

  /// More layers than this are folded at first, all blocks but the first.
  static let unfoldedLimit = 64

  init() {}

  /// The table of a model that was just opened.
  init(of model: OpenModel) {
    if model.layers.count > Self.unfoldedLimit {
      folded = Set(model.layersOfBlock.keys.sorted().dropFirst())
    }
    refilter(for: model)
  }

  var row: TableRow? { rows.indices.contains(cursor) ? rows[cursor] : nil }

  /// Rows between the range's beginning and the cursor; nil when no range was begun.
  var range: ClosedRange<Int>? {
    anchor.map { min($0, cursor)...max($0, cursor) }
  }

  /// Asks the filter again, and works the rows out anew.
  mutating func refilter(for model: OpenModel) {
    let matches = filter.matches(in: model)
    matching = model.layers.indices.filter { matches[$0] }
    rebuild(for: model)
  }

  /// Works the rows out anew and keeps the cursor on its layer or block, or close by.
  mutating func rebuild(for model: OpenModel) {
    let current = row
    rows =
      order == .natural
      ? naturalRows(of: model) : order.sorted(matching, of: model).map(TableRow.layer)
    anchor = nil
    if let current, let place = place(of: current, in: model) {
      cursor = place
    }
    cursor = max(0, min(cursor, rows.count - 1))
  }

  private func naturalRows(of model: OpenModel) -> [TableRow] {
    var rows: [TableRow] = []
    var seen: Set<Int> = []
    for index in matching {
      guard let block = model.layers[index].block else {
        rows.append(.layer(index))
        continue
      }
      if seen.insert(block).inserted { rows.append(.block(block)) }
      if isUnfolded(block) { rows.append(.layer(index)) }
    }
    return rows
  }

  /// Whether the block's layers are shown; a filter shows all that match.
  func isUnfolded(_ block: Int) -> Bool { !folded.contains(block) || !filter.isEmpty }

  private func place(of row: TableRow, in model: OpenModel) -> Int? {
    if let place = rows.firstIndex(of: row) { return place }
    if case .layer(let index) = row, let block = model.layers[index].block {
      return rows.firstIndex(of: .block(block))
    }
    if case .block(let block) = row, let first = model.layersOfBlock[block]?.first {
      return rows.firstIndex(of: .layer(first))
    }
    return nil
  }

  /// The layers that a row stands for: itself, or those of its block that the filter lets through.
  func layers(of row: TableRow, in model: OpenModel) -> [Int] {
    switch row {
    case .layer(let index): return [index]
    case .block(let block):
      let shown = Set(matching)
      return (model.layersOfBlock[block] ?? []).filter(shown.contains)
    }
  }

  /// Marked layers that the filter lets through.
  var shownMarks: Set<Int> { filter.isEmpty ? marks : marks.intersection(matching) }

  /// What a change of the plan applies to: marks and range, or else the row under the cursor.
  ///
  /// Marks that the filter hides wait until it is gone: nobody changes what is not in the table.
  func targets(in model: OpenModel) -> [Int] {
    let chosen = shownMarks.union(rangeLayers(in: model))
    if !chosen.isEmpty { return chosen.sorted() }
    return row.map { layers(of: $0, in: model) } ?? []
  }

  /// The layers in the range; of a heading only where it stands for layers that are folded away.
  func rangeLayers(in model: OpenModel) -> Set<Int> {
    guard let range else { return [] }
    var layers: Set<Int> = []
    for place in range where rows.indices.contains(place) {
      if case .block(let block) = rows[place], isUnfolded(block), range.count > 1 { continue }
      layers.formUnion(self.layers(of: rows[place], in: model))
    }
    return layers
  }
}

extension LayerTable {
  mutating func move(to place: Int) {
    cursor = max(0, min(place, rows.count - 1))
  }

  mutating func move(by distance: Int) {
    move(to: cursor + distance)
  }

  /// Scrolls without moving the cursor further than it must to stay on the screen.
  mutating func scroll(by distance: Int, height: Int) {
    guard height > 0 else { return }
    top = max(0, min(top + distance, rows.count - height))
    let margin = Self.margin(height)
    let first = top == 0 ? 0 : top + margin
    let last = top + height >= rows.count ? rows.count - 1 : top + height - 1 - margin
    move(to: max(first, min(cursor, last)))
  }

  /// Scrolls as little as puts the cursor on the screen, with a row of context where there is one.
  mutating func reveal(height: Int) {
    let height = max(height, 1)  // a table that is hidden keeps its cursor in reach, too
    let margin = Self.margin(height)
    top = min(top, max(0, cursor - margin))
    top = max(top, min(cursor + margin, rows.count - 1) - height + 1)
    top = max(0, min(top, rows.count - height))
  }

  /// Rows of context kept above and below the cursor.
  private static func margin(_ height: Int) -> Int { height > 4 ? 1 : 0 }

  mutating func fold(_ block: Int, _ isFolded: Bool, in model: OpenModel) {
    if isFolded { folded.insert(block) } else { folded.remove(block) }
    rebuild(for: model)
  }

  mutating func foldAll(_ isFolded: Bool, in model: OpenModel) {
    folded = isFolded ? Set(model.layersOfBlock.keys) : []
    rebuild(for: model)
  }

  mutating func show(_ order: SortOrder, of model: OpenModel) {
    self.order = order
    rebuild(for: model)
  }

  mutating func show(_ filter: LayerFilter, of model: OpenModel) {
    self.filter = filter
    if !filter.isEmpty { pattern = filter }
    refilter(for: model)
    if case .block? = row, !filter.isEmpty { move(by: 1) }
  }

  /// Shows what an earlier session showed, as far as the model has it.
  mutating func restore(
    order: SortOrder, filter: LayerFilter, folded: Set<Int>, row: TableRow?, anchor: Int?,
    top: Int, of model: OpenModel
  ) {
    (self.order, self.filter, self.folded) = (order, filter, folded)
    if !filter.isEmpty { pattern = filter }
    refilter(for: model)
    if let row, let place = place(of: row, in: model) { cursor = place }
    self.anchor = anchor.flatMap { rows.indices.contains($0) ? $0 : nil }
    self.top = max(0, min(top, rows.count - 1))
  }

  /// Marks the layers of `row`, or unmarks them if all are marked.
  mutating func toggleMark(of row: TableRow, in model: OpenModel) {
    toggle(Set(layers(of: row, in: model)))
  }

  /// Marks every layer that is shown or folded away in a shown block.
  mutating func markAll() { marks.formUnion(matching) }

  /// Marks every layer of the cursor's role that the filter lets through.
  mutating func markRole(in model: OpenModel) {
    guard case .layer(let index)? = row else { return }
    marks.formUnion(matching.filter { model.layers[$0].role == model.layers[index].role })
  }

  private mutating func toggle(_ layers: Set<Int>) {
    if layers.isSubset(of: marks) { marks.subtract(layers) } else { marks.formUnion(layers) }
  }

  mutating func beginRange() { anchor = rows.isEmpty ? nil : cursor }

  /// Makes marks of the range.
  mutating func endRange(in model: OpenModel) {
    marks.formUnion(rangeLayers(in: model))
    anchor = nil
  }

  mutating func dropRange() { anchor = nil }

  /// The next row in a direction whose layer the last filter matches, around the end if need be.
  mutating func moveToMatch(forward: Bool, in model: OpenModel) -> Bool {
    guard let pattern, !rows.isEmpty else { return false }
    let matches = pattern.matches(in: model)
    for distance in 1...rows.count {
      let step = forward ? distance : rows.count - distance
      let place = (cursor + step) % rows.count
      if case .layer(let index) = rows[place], matches[index] {
        cursor = place
        return true
      }
    }
    return false
  }
}
