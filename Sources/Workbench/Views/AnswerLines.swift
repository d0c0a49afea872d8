import Engine
import Terminal

/// An answer as lines of a width, with where it parts from the other one.
struct AnswerLines {
  enum Kind: Hashable, Sendable {
    case same
    /// The first token where the answers part.
    case parted
    case diverged

    var role: ThemeRole {
      switch self {
      case .same: .text
      case .parted: .parted
      case .diverged: .diverged
      }
    }
  }

  struct Run: Hashable, Sendable {
    let text: String
    let kind: Kind
  }

  private(set) var lines: [[Run]] = []

  /// The lines of one side of a conversation; what comes after the parting is set off in the
  /// compressed model's answer, for that is the one that went astray.
  init(_ conversation: Conversation, _ side: ModelSide, columns: Int) {
    let answer = conversation.answer(side)
    let parting = conversation.parting
    let after: Kind = side == .compressed ? .diverged : .same
    var text = ""
    // Where the parting token begins and ends, in bytes of UTF-8.
    var (start, end) = (Int.max, Int.max)
    for (index, token) in answer.tokens.enumerated() {
      if index == parting { start = text.utf8.count }
      text += token.text
      if index == parting { end = text.utf8.count }
    }
    // Most answers begin with a blank that belongs to their first word.
    let blanks = text.prefix { $0 == " " }
    text.removeFirst(blanks.count)
    if start != .max { start = max(0, start - blanks.count) }
    if end != .max { end = max(0, end - blanks.count) }
    guard !text.isEmpty else { return }
    lines = wrapped(text, columns: columns).map { line in
      Self.runs(of: line, in: text, from: start, to: end, after)
    }
  }

  private static func runs(
    of line: Substring, in text: String, from start: Int, to end: Int, _ after: Kind
  ) -> [Run] {
    func kind(_ offset: Int) -> Kind { offset < start ? .same : offset < end ? .parted : after }
    let first = text.utf8.distance(from: text.startIndex, to: line.startIndex)
    let last = first + line.utf8.count
    if last <= start || first >= end { return [Run(text: String(line), kind: kind(first))] }
    var runs: [(text: String, kind: Kind)] = []
    var offset = first
    for character in line {
      let kind = kind(offset)
      if let current = runs.last, current.kind == kind {
        runs[runs.count - 1].text.append(character)
      } else {
        runs.append((String(character), kind))
      }
      offset += character.utf8.count
    }
    return runs.map { Run(text: $0.text, kind: $0.kind) }
  }

  /// Lines by which the longer answer is too long for its place.
  static func longest(in state: AppState, _ layout: PromptLayout) -> Int {
    layout.sides.map { side in
      let lines = AnswerLines(state.conversation, side.side, columns: side.text.columns).lines
      return max(0, lines.count - side.text.rows)
    }.max() ?? 0
  }
}
