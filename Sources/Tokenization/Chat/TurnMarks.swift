import Checkpoints

/// The tokens that a template's own text may spell, and that what the messages say never becomes.
struct TurnMarks: Sendable {
  private struct Mark: Sendable {
    let token: TokenizerDefinition.AddedToken
    /// Scalars without the mark of input: equal elements are equal characters, and the template's.
    let elements: [UInt32]
  }

  private let addedTokens: [TokenizerDefinition.AddedToken]
  /// By first scalar, longest first.
  private var marks: [UInt32: [Mark]] = [:]

  /// Control tokens are marks; others become marks where a template makes turns of them.
  init(_ addedTokens: [TokenizerDefinition.AddedToken]) {
    self.addedTokens = addedTokens
    add(addedTokens.filter(\.isSpecial))
  }

  private mutating func add(_ tokens: [TokenizerDefinition.AddedToken]) {
    for token in tokens {
      let elements = token.text.unicodeScalars.map(\.value)
      guard let first = elements.first else { continue }
      marks[first, default: []].append(Mark(token: token, elements: elements))
      marks[first]?.sort { $0.elements.count > $1.elements.count }
    }
  }

  // MARK: - Pieces

  /// A rendering cut at the marks that the template wrote.
  ///
  /// A mark that is not special is found in any text; where a message spells one, a cut goes through it.
  func pieces(of rendering: TemplateText) -> [ChatTemplate.Piece] {
    var pieces: [ChatTemplate.Piece] = []
    var text: [UInt32] = []
    func endText() {
      if !text.isEmpty { pieces.append(.text(TemplateText(elements: text).string)) }
      text = []
    }
    let elements = rendering.elements
    var place = 0
    while place < elements.count {
      guard let mark = mark(at: place, in: elements) else {
        text.append(elements[place])
        place += 1
        continue
      }
      let end = place + mark.elements.count
      if elements[place..<end].elementsEqual(mark.elements) {
        if mark.token.stripsLeft {
          while text.last.map(TemplateText.isSpace) ?? false { text.removeLast() }
        }
        endText()
        pieces.append(.token(mark.token.text))
        place = end
        if mark.token.stripsRight {
          while place < elements.count, TemplateText.isSpace(elements[place]) { place += 1 }
        }
      } else {
        text.append(elements[place])
        if !mark.token.isSpecial { endText() }
        place += 1
      }
    }
    endText()
    return pieces
  }

  /// The longest mark at a place, whoever wrote it; one that the template wrote before others.
  private func mark(at place: Int, in elements: [UInt32]) -> Mark? {
    guard let candidates = marks[elements[place] & ~TemplateText.inputMark] else { return nil }
    let rest = elements[place...]
    let own = candidates.first { mark in
      rest.starts(with: mark.elements)
        && !(mark.token.isSingleWord
          && Self.touchesWord(elements, place..<place + mark.elements.count))
    }
    return own
      ?? candidates.first { mark in
        rest.starts(with: mark.elements) { $0 & ~TemplateText.inputMark == $1 }
          && !rest.starts(with: mark.elements)
      }
  }

  private static func touchesWord(_ elements: [UInt32], _ range: Range<Int>) -> Bool {
    func isWord(_ place: Int) -> Bool {
      guard elements.indices.contains(place) else { return false }
      let text = TemplateText(elements: [elements[place]])
      return text.isAlphanumeric || text == "_"
    }
    return isWord(range.lowerBound - 1) || isWord(range.upperBound)
  }

  // MARK: - Turns

  /// Learns from a conversation in the template which tokens make its turns.
  ///
  /// Some tokenizers list the marks of turns as ordinary added tokens, such as DeepSeek's `<｜User｜>`. Marks around
  /// what a model thinks are no turns: they may come with a message.
  ///
  /// - Returns: the token that ends an assistant's turn: the first thing after its text, but for white space.
  mutating func learn(
    fromTurnsOf statements: [TemplateStatement], _ tokens: [String: String]
  ) -> Int? {
    let date = ChatDate(year: 2026, month: 1, day: 1)
    let turns = [
      ChatMessage(role: .user, content: "question"),
      ChatMessage(role: .assistant, content: "answer"),
    ]
    let transcript = try? ChatTemplate.render(
      statements, turns, tokens, asksForAnswer: false, date: date, limits: .look)
    let prompt = try? ChatTemplate.render(
      statements, [turns[0]], tokens, asksForAnswer: true, date: date, limits: .look)
    let ordinary = addedTokens.filter { !$0.isSpecial && !$0.text.contains("think") }
    let written = [transcript, prompt].compactMap(\.self)
    add(ordinary.filter { token in written.contains { Self.wrote(token.text, in: $0) } })
    guard let elements = transcript?.elements,
      let answer = elements.lastIndex(where: { $0 & TemplateText.inputMark != 0 }),
      let next = elements[answer...].dropFirst().firstIndex(where: { !TemplateText.isSpace($0) }),
      let mark = mark(at: next, in: elements)
    else { return nil }
    return mark.token.id
  }

  /// Whether a template wrote `text` itself.
  private static func wrote(_ text: String, in rendering: TemplateText) -> Bool {
    let text = TemplateText(text)
    var place = 0
    while let next = rendering.firstIndex(of: text, from: place) {
      if rendering.elements[next..<next + text.count].elementsEqual(text.elements) { return true }
      place = next + 1
    }
    return false
  }
}
