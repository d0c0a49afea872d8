import Engine
import Terminal

/// The prompts of a file, and where the answers to each part.
struct PromptBatchView {
  let state: AppState

  private enum Column: String, ListColumn {
    case tokens, same, divergence = "KLD", parting = "parts at"

    var width: Int {
      switch self {
      case .tokens, .same: 7
      case .divergence: 8
      case .parting: 9
      }
    }

    static let importance: [Column] = [.parting, .same, .divergence, .tokens]
  }

  func draw(_ layout: ChatLayout, in place: Rect, on painter: inout Painter) {
    let batch = state.batch
    guard !batch.exchanges.isEmpty else {
      painter.put(
        ":prompts FILE asks every prompt of a file: one a line, or a JSON list", .dim,
        at: place.origin, maxColumns: place.columns)
      return
    }
    let columns = Column.allCases
    let width = columns.reduce(0) { $0 + 2 + $1.width }
    let nameWidth = max(10, place.columns - width)
    let heading = columns.map { "  " + painter.fit($0.rawValue, $0.width, .trailing) }.joined()
    painter.put(
      [
        painter.segment(painter.fit(summary(batch), nameWidth), .strong),
        painter.segment(heading, .dim),
      ], at: Point(column: layout.rows.column + 1, row: place.row), maxColumns: place.columns)
    ListView(
      count: batch.exchanges.count, cursor: batch.cursor, isFocused: state.reading.isBrowsing,
      row: { index, painter in row(index, columns, nameWidth, painter) }
    ).draw(in: layout.rows, on: &painter)
  }

  /// How many answers part, and how far they are the same.
  private func summary(_ batch: PromptBatch) -> String {
    var parts = ["\(batch.parted) of \(batch.answered) part"]
    if batch.answered < batch.exchanges.count { parts.append("\(batch.exchanges.count) prompts") }
    if let rate = batch.sameRate { parts.append("same \(Figures.percent(rate))") }
    if let divergence = batch.divergence {
      parts.append("KLD \(Figures.significant(divergence))")
    }
    return parts.joined(separator: ", ")
  }

  private func row(
    _ index: Int, _ columns: [Column], _ nameWidth: Int, _ painter: Painter
  ) -> [Segment] {
    let batch = state.batch
    let exchange = batch.exchanges[index]
    let isAnswered = batch.isAnswered(index)
    let title = "\(index + 1)  \(PromptWords.title(of: exchange.prompt))"
    var segments = [
      painter.segment(painter.fit(title, nameWidth), isAnswered ? .text : .dim)
    ]
    for column in columns {
      let parts = exchange.comparison.parting != nil && column == .parting
      let text = text(column, of: exchange, isAnswered, isNow: batch.place == index)
      segments.append(painter.segment(painter.space(before: text, in: column.width)))
      segments.append(painter.segment(text, parts ? .diverged : .text))
    }
    return segments
  }

  private func text(
    _ column: Column, of exchange: Exchange, _ isAnswered: Bool, isNow: Bool
  ) -> String {
    let comparison = exchange.comparison
    guard isAnswered || isNow else { return "" }
    switch column {
    case .tokens: return "\(exchange.answer(.compressed).tokens.count)"
    case .same: return comparison.sameRate.map { Figures.percent($0) } ?? state.glyphs.ellipsis
    case .divergence:
      return comparison.meanDivergence.map { Figures.significant($0) } ?? state.glyphs.dash
    case .parting:
      if let parting = comparison.parting { return "token \(parting + 1)" }
      return isAnswered ? "same" : state.glyphs.ellipsis
    }
  }
}
