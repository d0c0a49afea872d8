/// The columns that `character` takes on the screen.
public func displayWidth(of character: Character) -> Int {
  var width = 0
  forEachGlyph(of: character) { width += $0.width }
  return width
}

/// The columns that `text` takes on one line of the screen.
public func displayWidth(of text: some StringProtocol) -> Int {
  text.reduce(0) { $0 + displayWidth(of: $1) }
}

/// The text itself if it fits into `columns`, else its beginning with `ellipsis` at the end.
public func truncated(
  _ text: some StringProtocol, to columns: Int, ellipsis: String = "…"
) -> String {
  guard displayWidth(of: text) > columns else { return String(text) }
  let room = columns - displayWidth(of: ellipsis)
  guard room >= 0 else { return String(prefix(of: text, columns: columns)) }
  return prefix(of: text, columns: room) + ellipsis
}

/// Where text stands in a field wider than itself.
public enum TextAlignment: Hashable, Sendable {
  case leading, center, trailing
}

/// The text filled up with blanks, or truncated, to exactly `columns`.
public func padded(
  _ text: some StringProtocol, to columns: Int, alignment: TextAlignment = .leading,
  ellipsis: String = "…"
) -> String {
  let fitting = truncated(text, to: columns, ellipsis: ellipsis)
  let missing = max(0, columns - displayWidth(of: fitting))
  let before =
    switch alignment {
    case .leading: 0
    case .center: missing / 2
    case .trailing: missing
    }
  return String(repeating: " ", count: before) + fitting
    + String(repeating: " ", count: missing - before)
}

/// The lines of `text` when no line may be wider than `columns`.
///
/// Breaks at blanks, which the break swallows; a word wider than a line is cut between graphemes.
/// Line breaks in the text are kept, and so is the indentation after them. A grapheme wider than
/// `columns` gets a line of its own. Each line is a slice of `text`, so that positions in it can be
/// mapped back.
public func wrapped(_ text: String, columns: Int) -> [Substring] {
  text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    .flatMap { wrappedParagraph($0, columns: max(1, columns)) }
}

private func wrappedParagraph(_ paragraph: Substring, columns: Int) -> [Substring] {
  var lines: [Substring] = []
  var start = paragraph.startIndex
  var used = 0
  // The last place where the line may end, and where the next one would then begin.
  var breakPoint: (end: Substring.Index, next: Substring.Index)?
  var index = start
  while index < paragraph.endIndex {
    let character = paragraph[index]
    let next = paragraph.index(after: index)
    let width = displayWidth(of: character)
    if character == " " || character == "\t" {
      let isIndentation = breakPoint == nil && paragraph[start..<index].allSatisfy(\.isWhitespace)
      if !isIndentation {
        // A run of blanks ends the line where the run begins.
        let end = breakPoint.map { $0.next == index ? $0.end : index } ?? index
        breakPoint = (end, next)
      }
    } else if used + width > columns, index > start {
      let cut = breakPoint ?? (index, index)
      lines.append(paragraph[start..<cut.end])
      start = cut.next
      used = displayWidth(of: paragraph[start..<index])
      breakPoint = nil
    }
    used += width
    index = next
  }
  let end = paragraph.endIndex
  let trimmed = breakPoint.map { $0.next == end ? $0.end : end } ?? end
  lines.append(paragraph[start..<(used > columns ? trimmed : end)])
  return lines
}

private func prefix<Text: StringProtocol>(of text: Text, columns: Int) -> Text.SubSequence {
  var used = 0
  return text.prefix { character in
    used += displayWidth(of: character)
    return used <= columns
  }
}
