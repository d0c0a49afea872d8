import Engine
import Terminal

/// The turns of a chat as rows: prompts over the whole width, and answers in columns below them.
struct Transcript {
  enum Row {
    /// A line of a prompt, behind the sign of one or as many blanks.
    case prompt(sign: String, String)
    /// A line of each side's answer, by the turn and the line's number in it.
    case answers([[AnswerLines.Run]], turn: Int, line: Int)
    case blank
  }

  private(set) var rows: [Row] = []
  /// The last turn's answers, in the order of the columns.
  private var last: [AnswerLines] = []

  /// Lines of a prompt that are shown; of a longer one, as of a file, it is said how long it is.
  private static let promptLines = 4

  /// - Parameters:
  ///   - state: The conversation, and the token of its last answers that is looked at.
  ///   - sides: The columns.
  init(_ state: AppState, _ sides: [PromptLayout.Side]) {
    let exchanges = state.conversation.exchanges
    for (turn, exchange) in exchanges.enumerated() {
      if turn > 0 { rows.append(.blank) }
      rows += Self.prompt(exchange.prompt, columns: sides.text.columns - 2, state.glyphs)
      let isLast = turn == exchanges.count - 1
      let answers = sides.map { side in
        AnswerLines(
          exchange, side.side, columns: side.text.columns,
          chosen: isLast ? state.chosenToken(of: side.side) : nil)
      }
      if isLast { last = answers }
      for line in 0..<(answers.map(\.lines.count).max() ?? 0) {
        rows.append(
          .answers(
            answers.map { $0.lines.indices.contains(line) ? $0.lines[line] : [] }, turn: turn,
            line: line))
      }
    }
  }

  /// The first row that is seen of `height`: those around the token that is looked at, or else scrolled back from the end
  /// by so many.
  func first(height: Int, scroll: Int) -> Int {
    guard let chosenRow else { return max(0, rows.count - height - scroll) }
    return max(0, min(chosenRow - height / 2, rows.count - height))
  }

  /// The row with the token that is looked at.
  private var chosenRow: Int? {
    rows.lastIndex { row in
      guard case .answers(let answers, _, _) = row else { return false }
      return answers.joined().contains { $0.kind == .chosen }
    }
  }

  /// The token of the last turn's answer at a column of a row; nil where there is none.
  func token(row: Int, column: Int, ofSide side: Int) -> Int? {
    guard rows.indices.contains(row), case .answers(_, _, let line) = rows[row],
      last.indices.contains(side), row >= rows.count - (last.map(\.lines.count).max() ?? 0)
    else { return nil }
    return last[side].token(line: line, column: column)
  }

  private static func prompt(_ text: String, columns: Int, _ glyphs: Glyphs) -> [Row] {
    // No more of a long file is looked at than could be shown.
    let beginning = String(text.prefix(promptLines * max(columns, 1) + 1))
    var lines = wrapped(beginning, columns: max(columns, 1)).map(String.init)
    if lines.count > promptLines || beginning.utf8.count < text.utf8.count {
      lines =
        lines.prefix(promptLines - 1)
        + ["\(glyphs.ellipsis) \(Figures.bytes(text.utf8.count)) in all"]
    }
    return lines.enumerated().map { .prompt(sign: $0 == 0 ? "> " : "  ", $1) }
  }
}
