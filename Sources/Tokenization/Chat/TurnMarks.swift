import Checkpoints

/// The tokens that a template's own text may spell, and that what the messages say never becomes.
struct TurnMarks: Sendable {
  /// Longest mark in scalars: a text is compared with all marks at each of its places.
  private static let lengthLimit = 128

  private let addedTokens: [TokenizerDefinition.AddedToken]
  private var marks: [TokenizerDefinition.AddedToken] = []
  /// The marks' scalars, and their places in ``marks``.
  private var trie = TokenTrie<UInt32>([])

  /// Control tokens are marks; others become marks where a template makes turns of them.
  init(_ addedTokens: [TokenizerDefinition.AddedToken]) {
    self.addedTokens = addedTokens
    add(addedTokens.filter(\.isSpecial))
  }

  private mutating func add(_ tokens: [TokenizerDefinition.AddedToken]) {
    marks += tokens
    trie = Self.trie(of: marks)
  }

  private static func trie(of tokens: [TokenizerDefinition.AddedToken]) -> TokenTrie<UInt32> {
    let texts = tokens.enumerated().map { number, token in
      (text: token.text.unicodeScalars.prefix(lengthLimit + 1).map(\.value)[...], number: number)
    }
    return TokenTrie(texts.filter { $0.text.count <= lengthLimit })
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
    let scalars = rendering.scalars
    var place = 0
    while place < elements.count {
      guard let (token, end, isOwn) = mark(at: place, in: elements, scalars) else {
        text.append(elements[place])
        place += 1
        continue
      }
      if isOwn {
        if token.stripsLeft {
          while text.last.map(TemplateText.isSpace) ?? false { text.removeLast() }
        }
        endText()
        pieces.append(.token(token.text))
        place = end
        if token.stripsRight {
          while place < elements.count, TemplateText.isSpace(elements[place]) { place += 1 }
        }
      } else {
        text.append(elements[place])
        if !token.isSpecial { endText() }
        place += 1
      }
    }
    endText()
    return pieces
  }

  /// The longest mark at a place, whoever wrote it; one that the template wrote before others.
  private func mark(
    at place: Int, in elements: [UInt32], _ scalars: [UInt32]
  ) -> (token: TokenizerDefinition.AddedToken, end: Int, isOwn: Bool)? {
    var (own, other): (Int?, Int?)
    var (ownEnd, otherEnd) = (place, place)
    trie.forEachMatch(in: scalars, from: place, to: scalars.count) { end, number in
      if elements[place..<end].contains(where: { $0 & TemplateText.inputMark != 0 }) {
        (other, otherEnd) = (number, end)
      } else if !(marks[number].isSingleWord && Self.touchesWord(elements, place..<end)) {
        (own, ownEnd) = (number, end)
      }
    }
    if let own { return (marks[own], ownEnd, true) }
    return other.map { (marks[$0], otherEnd, false) }
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
    let found = Self.written(ordinary, in: written)
    add(ordinary.indices.filter(found.contains).map { ordinary[$0] })
    guard let elements = transcript?.elements,
      let answer = elements.lastIndex(where: { $0 & TemplateText.inputMark != 0 }),
      let next = elements[answer...].dropFirst().firstIndex(where: { !TemplateText.isSpace($0) }),
      let mark = mark(at: next, in: elements, transcript?.scalars ?? [])
    else { return nil }
    return mark.token.id
  }

  /// The places of the tokens that a template wrote itself.
  private static func written(
    _ tokens: [TokenizerDefinition.AddedToken], in renderings: [TemplateText]
  ) -> Set<Int> {
    let trie = Self.trie(of: tokens)
    var found: Set<Int> = []
    for rendering in renderings {
      let scalars = rendering.scalars
      // What the messages say ends what the template wrote before.
      var end = scalars.count
      for place in scalars.indices.reversed() {
        if rendering.elements[place] & TemplateText.inputMark != 0 { end = place }
        trie.forEachMatch(in: scalars, from: place, to: end) { found.insert($1) }
      }
    }
    return found
  }
}
