import Terminal

/// Text being typed, with its caret: one line, or several in a prompt.
struct LineEditor: Codable, Hashable, Sendable {
  private(set) var text: String
  /// Place of the caret in characters, 0 to the text's length.
  private(set) var caret: Int
  /// Whether the text is only offered: typing replaces it, moving in it takes it on.
  private(set) var isOffered = false

  /// The most characters that typing and pasting may make.
  static let limit = 65_536

  init(_ text: String = "", isOffered: Bool = false) {
    self.text = text
    self.isOffered = isOffered && !text.isEmpty
    caret = text.count
  }

  /// The text before the caret.
  var head: Substring { text.prefix(caret) }

  /// The text from the caret on.
  var tail: Substring { text.dropFirst(caret) }

  mutating func replace(with text: String) {
    isOffered = false
    self.text = String(text.prefix(Self.limit))
    caret = self.text.count
  }

  /// Inserts text as it is; controls become blanks, and line breaks too unless they are kept.
  mutating func insert(_ inserted: some StringProtocol, keepsLineBreaks: Bool = false) {
    if isOffered { replace(with: "") }
    let clean = inserted.map { (character: Character) -> Character in
      if character.isNewline { return keepsLineBreaks ? "\n" : " " }
      return character.isControl ? " " : character
    }
    let room = max(0, Self.limit - text.count)
    rebuild(head: head + String(clean.prefix(room)), tail: tail)
  }

  /// Handles a key that edits text; false for any other.
  mutating func handle(_ press: KeyPress) -> Bool {
    switch (press.key, press.modifiers) {
    case (.character(let character), []): insert(String(character))
    case (.backspace, []): if caret > 0 { rebuild(head: head.dropLast(), tail: tail) }
    case (.delete, []), (.character("d"), .control):
      rebuild(head: String(head), tail: tail.dropFirst())
    case (.left, []), (.character("b"), .control): caret = max(0, caret - 1)
    case (.right, []), (.character("f"), .control): caret = min(text.count, caret + 1)
    case (.left, .control), (.character("b"), .alt): caret = wordStart
    case (.right, .control), (.character("f"), .alt): caret = wordEnd
    case (.home, []), (.character("a"), .control): caret = lineStart
    case (.end, []), (.character("e"), .control): caret = lineEnd
    case (.character("u"), .control): rebuild(head: text.prefix(lineStart), tail: tail)
    case (.character("k"), .control):
      rebuild(head: String(head), tail: text.dropFirst(max(lineEnd, caret)))
    case (.character("w"), .control), (.backspace, .alt), (.backspace, .control):
      rebuild(head: text.prefix(wordStart), tail: tail)
    default: return false
    }
    isOffered = false
    return true
  }

  /// Puts the caret before the character in that display column of the text.
  mutating func moveCaret(toColumn column: Int) {
    isOffered = false
    var used = 0
    caret =
      text.prefix { character in
        used += displayWidth(of: character)
        return used <= column
      }.count
  }

  /// Puts the caret before the character at `place`, or at the end.
  mutating func moveCaret(to place: Int) {
    isOffered = false
    caret = max(0, min(place, text.count))
  }

  /// Where the caret's line begins.
  private var lineStart: Int {
    caret - head.reversed().prefix { !$0.isNewline }.count
  }

  /// Where the caret's line ends, before its line break.
  private var lineEnd: Int { caret + tail.prefix { !$0.isNewline }.count }

  private var wordStart: Int {
    let blanks = head.reversed().prefix { $0.isWhitespace }.count
    let word = head.dropLast(blanks).reversed().prefix { !$0.isWhitespace }.count
    return caret - blanks - word
  }

  private var wordEnd: Int {
    let blanks = tail.prefix { $0.isWhitespace }.count
    return caret + blanks + tail.dropFirst(blanks).prefix { !$0.isWhitespace }.count
  }

  private mutating func rebuild(head: some StringProtocol, tail: some StringProtocol) {
    text = String(head) + String(tail)
    // A combining mark may join its neighbour, so that the whole is shorter than its parts.
    caret = min(String(head).count, text.count)
  }
}

extension Character {
  /// Whether it is a control character, which no field takes.
  fileprivate var isControl: Bool {
    unicodeScalars.allSatisfy { $0.properties.generalCategory == .control }
  }
}
