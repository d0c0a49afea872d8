import Engine
import Terminal

/// An answer as lines of a width, with where it parts from the other one.
struct AnswerLines {
  enum Kind: Hashable, Sendable {
    case same
    /// The first token where the answers part.
    case parted
    case diverged
    /// Why there is no more of the answer.
    case failure

    var role: ThemeRole {
      switch self {
      case .same: .text
      case .parted: .parted
      case .diverged: .diverged
      case .failure: .error
      }
    }
  }

  struct Run: Hashable, Sendable {
    let text: String
    let kind: Kind
  }

  private(set) var lines: [[Run]] = []

  /// The lines of one side of a conversation; what comes after the parting is set off in the answers of the compressed
  /// model and of the server, for these are the ones that may have gone astray.
  init(_ conversation: Conversation, _ side: AnswerSide, columns: Int) {
    let answer = conversation.answer(side)
    let after: Kind = side == .reference ? .same : .diverged
    var text = answer.tokens.map(\.text).joined()
    // Most answers begin with a blank that belongs to their first word.
    let blanks = text.prefix { $0 == " " }.count
    text.removeFirst(blanks)
    let parted = Self.parted(conversation, side, blanks: blanks)
    if !text.isEmpty {
      lines = wrapped(text, columns: columns).map { line in
        Self.runs(of: line, in: text, parted, after)
      }
    }
    if let failure = answer.failure {
      lines += wrapped(failure, columns: columns).map {
        [Run(text: String($0), kind: .failure)]
      }
    }
  }

  /// Where the token in which the answers part begins and ends, in bytes of UTF-8 after the blanks; nil if they do not
  /// part in this answer.
  private static func parted(
    _ conversation: Conversation, _ side: AnswerSide, blanks: Int
  ) -> Range<Int>? {
    var start = 0
    for (index, token) in conversation.answer(side).tokens.enumerated() {
      let end = start + token.text.utf8.count
      if side == .served {
        // A server's pieces need not be tokens: what is the same of the piece is not set off.
        if let parting = conversation.servedParting, parting + blanks < end {
          return parting..<(end - blanks)
        }
      } else if index == conversation.parting {
        return max(0, start - blanks)..<max(0, end - blanks)
      }
      start = end
    }
    return nil
  }

  private static func runs(
    of line: Substring, in text: String, _ parted: Range<Int>?, _ after: Kind
  ) -> [Run] {
    guard let parted else { return [Run(text: String(line), kind: .same)] }
    let first = text.utf8.distance(from: text.startIndex, to: line.startIndex)
    let last = first + line.utf8.count
    if last <= parted.lowerBound { return [Run(text: String(line), kind: .same)] }
    if first >= parted.upperBound { return [Run(text: String(line), kind: after)] }
    var runs: [(text: String, kind: Kind)] = []
    var offset = first
    for character in line {
      let end = offset + character.utf8.count
      let kind: Kind =
        end <= parted.lowerBound ? .same : offset < parted.upperBound ? .parted : after
      if let current = runs.last, current.kind == kind {
        runs[runs.count - 1].text.append(character)
      } else {
        runs.append((String(character), kind))
      }
      offset = end
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
