import Engine
import Terminal

/// Where the parts of the prompt pane are.
struct PromptLayout: Hashable, Sendable {
  struct Side: Hashable, Sendable {
    let side: AnswerSide
    /// One row with the side's name and figures.
    let heading: Rect
    let text: Rect
  }

  let input: Rect
  let sides: [Side]

  /// The narrowest column of an answer that stands beside another.
  private static let leastWidth = 26
  /// Columns between two answers, for a line with a blank on either side.
  private static let gap = 3

  /// Answers stand side by side, or above each other where that would leave them too narrow: three of them first with the
  /// last one below the others.
  init(inside: Rect, sides: [AnswerSide]) {
    let (input, rest) = inside.splitTop(1)
    self.input = input.inset(columns: 1, rows: 0)
    let answers = rest.inset(columns: 1, rows: 0)
    let fitting = (answers.columns + Self.gap) / (Self.leastWidth + Self.gap)
    let rows = fitting >= sides.count ? [sides] : fitting >= 2 ? sides.pairs : sides.map { [$0] }
    var places: [Side] = []
    var free = answers
    for (index, row) in rows.enumerated() {
      let left = rows.count - index
      let (place, below) = free.splitTop((free.rows + left - 1) / left)
      free = below
      places += Self.columns(of: place, for: row)
    }
    self.sides = places
  }

  /// A row's sides in columns of one width, the first and the last at its edges.
  private static func columns(of place: Rect, for row: [AnswerSide]) -> [Side] {
    let width = (place.columns - gap * (row.count - 1)) / row.count
    return row.enumerated().map { index, side in
      let start = row.count > 1 ? index * (place.columns - width) / (row.count - 1) : 0
      let column = Rect(
        column: place.column + start, row: place.row, columns: width, rows: place.rows)
      let (heading, text) = column.splitTop(1)
      return Side(side: side, heading: heading, text: text)
    }
  }
}

extension [AnswerSide] {
  /// In twos, the last alone if there is an odd one.
  fileprivate var pairs: [[AnswerSide]] {
    stride(from: 0, to: count, by: 2).map { Array(self[$0..<Swift.min($0 + 2, count)]) }
  }
}
