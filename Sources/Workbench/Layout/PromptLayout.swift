import Engine
import Terminal

/// Where the parts of a conversation are: the answers, and below them the prompt that is written.
struct PromptLayout: Hashable, Sendable {
  struct Side: Hashable, Sendable {
    let side: AnswerSide
    /// One row with the side's name and figures.
    let heading: Rect
    let text: Rect
  }

  /// The `> ` and the prompt's lines.
  let input: Rect
  /// The lines of the prompt, as wide as ``field``.
  let lines: EditorLines
  /// Answers that stand beside each other, in groups that stand below each other.
  let groups: [[Side]]

  var sides: [Side] { groups.flatMap(\.self) }

  /// Where the prompt's lines are.
  var field: Rect { input.splitLeft(Self.promptWidth).rest }

  /// The first of the prompt's lines that is seen.
  func firstLine(showing caret: Int) -> Int { lines.first(showing: caret, height: input.rows) }

  /// Columns of the `> ` before the prompt's text.
  static let promptWidth = 2
  /// The narrowest column of an answer that stands beside another.
  private static let leastWidth = 26
  /// Columns between two answers, for a line with a blank on either side.
  private static let gap = 3

  /// Answers stand side by side, or above each other where that would leave them too narrow: three of them first with the
  /// last one below the others.
  init(inside: Rect, conversation: Conversation) {
    let place = inside.inset(columns: 1, rows: 0)
    lines = EditorLines(
      conversation.editor.text, columns: max(place.columns - Self.promptWidth, 1))
    let (answers, input) = place.splitBottom(min(lines.rows.count, max(1, inside.rows / 3)))
    self.input = input
    let sides = conversation.sides
    let fitting = (answers.columns + Self.gap) / (Self.leastWidth + Self.gap)
    let rows = fitting >= sides.count ? [sides] : fitting >= 2 ? sides.pairs : sides.map { [$0] }
    var groups: [[Side]] = []
    var free = answers
    for (index, row) in rows.enumerated() {
      let left = rows.count - index
      let (place, below) = free.splitTop((free.rows + left - 1) / left)
      free = below
      groups.append(Self.columns(of: place, for: row))
    }
    self.groups = groups
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

extension [PromptLayout.Side] {
  /// From the first column of answers to the last one's end, below the headings.
  var text: Rect {
    guard let first, let last else { return Rect(Size(columns: 0, rows: 0)) }
    return Rect(
      column: first.text.column, row: first.text.row,
      columns: last.text.endColumn - first.text.column, rows: first.text.rows)
  }
}

extension [AnswerSide] {
  /// In twos, the last alone if there is an odd one.
  fileprivate var pairs: [[AnswerSide]] {
    stride(from: 0, to: count, by: 2).map { Array(self[$0..<Swift.min($0 + 2, count)]) }
  }
}
