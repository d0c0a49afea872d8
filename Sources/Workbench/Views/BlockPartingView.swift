import Checkpoints
import Engine
import Terminal

/// Block by block, where the answers begin to part.
struct BlockPartingView {
  let state: AppState

  /// A column of the list besides the place.
  private enum Column: String, ListColumn {
    case bits, own = "own error", error, divergence = "KLD", added = "adds", parting = "parts at"

    var width: Int {
      switch self {
      case .bits: 5
      case .own, .error: 9
      case .divergence, .added: 9
      case .parting: 9
      }
    }

    static let importance: [Column] = [.added, .divergence, .own, .error, .bits, .parting]
  }

  func draw(_ layout: ChatLayout, in place: Rect, on painter: inout Painter) {
    let reading = state.reading
    guard !reading.blocks.isEmpty else {
      let isMeasuring = reading.blocksJob.flatMap { state.jobs[$0] }?.isRunning == true
      painter.put(
        isMeasuring
          ? "The compressed model goes up to each block, the original on from there"
            + state.glyphs.ellipsis
          : "Ask something: then this shows the blocks that make the answers part", .dim,
        at: place.origin, maxColumns: place.columns)
      return
    }
    let bar = max(0, min(24, place.columns - 92))
    let (columns, nameWidth) = Column.fitting(place.columns - bar)
    let heading = columns.map { "  " + painter.fit($0.rawValue, $0.width, .trailing) }.joined()
    let isEarlier = reading.blocksSubject?.plan != state.history.current
    painter.put(
      [
        painter.segment(
          painter.fit(isEarlier ? "an earlier plan" : "compressed up to", nameWidth),
          isEarlier ? .warn : .dim), painter.segment(heading, .dim),
      ],
      at: Point(column: layout.rows.column + 1, row: place.row), maxColumns: place.columns)
    ListView(
      count: reading.blocks.count, cursor: reading.blockCursor, isFocused: reading.isBrowsing,
      row: { index, painter in row(index, columns, nameWidth, bar: bar, painter) }
    ).draw(in: layout.rows, on: &painter)
  }

  private func row(
    _ index: Int, _ columns: [Column], _ nameWidth: Int, bar: Int, _ painter: Painter
  ) -> [Segment] {
    let reading = state.reading
    let parting = reading.blocks[index]
    let added = reading.added(index)
    let isWorst =
      if case .block(let block) = parting.place {
        reading.worstBlocks.contains(block)
      } else {
        false
      }
    let isPicked =
      if case .block(let block) = parting.place {
        reading.isPicked(block)
      } else {
        false
      }
    let name = (isPicked ? state.glyphs.mark : " ") + " " + Self.name(of: parting.place)
    var segments = [painter.segment(painter.fit(name, nameWidth), isPicked ? .mark : .text)]
    for column in columns {
      let text = text(column, of: parting, added: added)
      segments.append(painter.segment(painter.space(before: text, in: column.width)))
      segments.append(painter.segment(text, column == .added && isWorst ? .diverged : .text))
    }
    if bar > 4 {
      segments.append(painter.segment(" "))
      segments += painter.bar(
        reading.mostAdded > 0 ? added / reading.mostAdded : 0, columns: bar - 1,
        filled: .compressed)
    }
    return segments
  }

  private func text(_ column: Column, of parting: BlockParting, added: Double) -> String {
    switch column {
    case .bits: bits(of: parting.place)
    case .own: parting.ownError.map { Figures.percent($0) } ?? state.glyphs.dash
    case .error: parting.relativeError.map { Figures.percent($0) } ?? state.glyphs.dash
    case .divergence: parting.divergence > 0 ? Figures.significant(parting.divergence) : "0"
    case .added: added == 0 ? "0" : (added > 0 ? "+" : "") + Figures.significant(added)
    case .parting: parting.parting.map { "token \($0 + 1)" } ?? state.glyphs.dash
    }
  }

  /// Bits a weight of the block's layers under the plan.
  private func bits(of place: BlockParting.Place) -> String {
    guard case .block(let block) = place, let model = state.model else { return "" }
    let layers = model.layers.indices.filter { model.layers[$0].block == block }
    return layers.isEmpty ? "" : Figures.fixed(model.summary(of: layers).bitsPerWeight, 1)
  }

  private static func name(of place: BlockParting.Place) -> String {
    switch place {
    case .embedding: "embedding"
    case .block(let block): "block \(block)"
    case .head: "all, with head"
    }
  }
}
