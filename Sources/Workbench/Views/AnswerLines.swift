import Engine
import Terminal

/// An answer as lines of a width, with where it parts from the other one.
struct AnswerLines {
  enum Kind: Hashable, Sendable {
    case same
    /// The first token where the answers part.
    case parted
    case diverged
    /// The token that is looked at.
    case chosen
    /// Why there is no more of the answer.
    case failure

    var role: ThemeRole {
      switch self {
      case .same: .text
      case .parted: .parted
      case .diverged: .diverged
      case .chosen: .selection
      case .failure: .error
      }
    }
  }

  struct Run: Hashable, Sendable {
    let text: String
    let kind: Kind
  }

  private(set) var lines: [[Run]] = []
  /// Where lines begin, in bytes of the answer; lines of a failure begin nowhere.
  private var starts: [Int] = []
  /// Where each token ends, in bytes of the answer.
  private let ends: [Int]

  /// The lines of one side's answer; what comes after the parting is set off in the answers of the compressed model and of
  /// the server, for these are the ones that may have gone astray.
  ///
  /// - Parameters:
  ///   - exchange: The turn.
  ///   - side: Whose answer.
  ///   - columns: The width.
  ///   - chosen: The token that is looked at, which is set off too.
  init(_ exchange: Exchange, _ side: AnswerSide, columns: Int, chosen: Int? = nil) {
    let answer = exchange.answer(side)
    var ends: [Int] = []
    for token in answer.tokens { ends.append((ends.last ?? 0) + token.text.utf8.count) }
    self.ends = ends
    let after: Kind = side == .reference ? .same : .diverged
    var text = answer.text
    // Most answers begin with a blank that belongs to their first word.
    let blanks = text.prefix { $0 == " " }.count
    text.removeFirst(blanks)
    let parted = Self.parted(exchange, side, ends)
    let looked = chosen.flatMap { Self.range(of: $0, ends) }
    func kind(_ start: Int, _ end: Int) -> Kind {
      if let looked, start < looked.upperBound, end > looked.lowerBound { return .chosen }
      guard let parted, end > parted.lowerBound else { return .same }
      return start < parted.upperBound ? .parted : after
    }
    if !text.isEmpty {
      for line in wrapped(text, columns: columns) {
        let start = blanks + text.utf8.distance(from: text.startIndex, to: line.startIndex)
        starts.append(start)
        lines.append(Self.runs(of: line, from: start, kind))
      }
    }
    if let failure = answer.failure {
      lines += wrapped(failure, columns: columns).map {
        [Run(text: String($0), kind: .failure)]
      }
    }
  }

  /// The token at a column of a line; nil where there is none.
  func token(line: Int, column: Int) -> Int? {
    guard starts.indices.contains(line) else { return nil }
    var (width, bytes) = (0, starts[line])
    for character in lines[line].map(\.text).joined() {
      width += displayWidth(of: character)
      if width > column { return ends.firstIndex { $0 > bytes } }
      bytes += character.utf8.count
    }
    return nil
  }

  private static func range(of token: Int, _ ends: [Int]) -> Range<Int>? {
    guard ends.indices.contains(token) else { return nil }
    return (token > 0 ? ends[token - 1] : 0)..<ends[token]
  }

  /// Where the token in which the answers part begins and ends, in bytes of UTF-8; nil if they do not part in this answer.
  private static func parted(
    _ exchange: Exchange, _ side: AnswerSide, _ ends: [Int]
  ) -> Range<Int>? {
    guard side == .served else {
      return exchange.comparison.parting.flatMap { range(of: $0, ends) }
    }
    // A server's pieces need not be tokens: what is the same of the piece is not set off.
    let blanks = exchange.answer(.served).text.prefix { $0 == " " }.count
    guard let parting = exchange.servedParting.map({ $0 + blanks }),
      let end = ends.first(where: { $0 > parting })
    else { return nil }
    return parting..<end
  }

  private static func runs(
    of line: Substring, from first: Int, _ kind: (Int, Int) -> Kind
  ) -> [Run] {
    var runs: [(text: String, kind: Kind)] = []
    var offset = first
    for character in line {
      let end = offset + character.utf8.count
      let kind = kind(offset, end)
      if let current = runs.last, current.kind == kind {
        runs[runs.count - 1].text.append(character)
      } else {
        runs.append((String(character), kind))
      }
      offset = end
    }
    return runs.map { Run(text: $0.text, kind: $0.kind) }
  }
}
