import Engine
import Terminal

/// What both models expected at the token that is looked at, side by side.
struct TokenView {
  let state: AppState

  /// Columns of a token's spelling, and of its probability in percent.
  private static let (spelling, percent) = (18, 7)
  /// Columns from which on it is said what the first figures are of.
  private static let namingColumns = 44

  func draw(in place: Rect, on painter: inout Painter) {
    let reading = state.reading
    guard let token = reading.tokenReading else {
      let isReading = reading.tokensJob.flatMap { state.jobs[$0] }?.isRunning == true
      painter.put(
        isReading
          ? "Both models read the answer\(state.glyphs.ellipsis)"
          : "Ask something: then this shows what both models expected at each token", .dim,
        at: place.origin, maxColumns: place.columns)
      return
    }
    let (heading, rest) = place.splitTop(1)
    drawHeading(token, in: heading, on: &painter)
    let width = (rest.columns - 3) / 2
    let (left, right) = rest.splitLeft(width)
    draw(token.reference, .reference, of: token, in: left, on: &painter)
    draw(
      token.compressed, .compressed, of: token,
      in: Rect(
        column: right.column + 3, row: right.row, columns: right.columns - 3, rows: right.rows),
      on: &painter)
    for row in 0..<rest.rows {
      painter.frame.put(
        String(state.glyphs.box.vertical),
        at: Point(column: left.endColumn + 1, row: rest.row + row),
        style: painter.style(.border), maxColumns: 1)
    }
  }

  private func drawHeading(_ token: TokenReading, in rect: Rect, on painter: inout Painter) {
    let reading = state.reading
    let count = reading.tokensSubject?.request.answer.count ?? reading.tokens.count
    var parts = [
      [
        painter.segment("token \(token.index + 1) of \(count) ", .dim),
        painter.segment(Self.quoted(token.text), .strong),
        painter.segment("   KLD \(Figures.significant(token.divergence))", .text),
      ]
    ]
    if let plan = reading.tokensSubject?.plan, plan != state.history.current {
      parts.append([painter.segment("   under another plan", .warn)])
    }
    if !token.agrees {
      parts.append([painter.segment("   "), painter.segment("the models differ", .diverged)])
    }
    let side = reading.tokensSubject?.request.side ?? reading.side
    parts.append([painter.segment("   \(side.rawValue)'s answer, read by both", .dim)])
    painter.put(
      Painter.fitting(parts, rect.columns), at: rect.origin, maxColumns: rect.columns)
  }

  private func draw(
    _ expectation: TokenReading.Expectation, _ side: AnswerSide, of token: TokenReading,
    in rect: Rect, on painter: inout Painter
  ) {
    var lines: [[Segment]] = [
      [
        painter.segment(side.rawValue, side.role),
        painter.segment(
          "   \(rect.columns < Self.namingColumns ? "" : "this token ")"
            + "\(Self.percent(expectation.probability)), rank \(expectation.rank)", .dim),
      ]
    ]
    let bar = rect.columns - Self.spelling - Self.percent - 3
    for alternative in expectation.alternatives {
      let isHere = alternative.id == token.id
      var line = [
        painter.segment(isHere ? state.glyphs.mark : " ", .mark),
        painter.segment(
          painter.fit(" " + Self.quoted(alternative.text), Self.spelling),
          isHere ? .strong : .text),
        painter.segment(
          painter.fit(Self.percent(alternative.probability), Self.percent, .trailing) + " "),
      ]
      if bar > 4 {
        line += painter.bar(alternative.probability, columns: bar, filled: side.role)
      }
      lines.append(line)
    }
    for (offset, line) in lines.prefix(rect.rows).enumerated() {
      painter.put(
        line, at: Point(column: rect.column, row: rect.row + offset), maxColumns: rect.columns)
    }
  }

  /// A token with its blanks made visible.
  private static func quoted(_ text: String) -> String {
    let shown = text.map { (character: Character) -> String in
      character.isNewline ? "\\n" : character == "\t" ? "\\t" : String(character)
    }
    return "\"\(shown.joined())\""
  }

  private static func percent(_ probability: Double) -> String {
    let percent = probability * 100
    return percent > 0 && percent < 0.01
      ? "<0.01%" : "\(Figures.fixed(percent, percent < 10 ? 2 : 1))%"
  }
}
