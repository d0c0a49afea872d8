/// What servers send, made fit for a terminal: nothing in it can move the cursor or turn the text around.
enum DisplayText {
  /// Text of an answer: line breaks and tabs stay.
  static func text(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: { !isHarmless($0) }) else { return text }
    var result = String.UnicodeScalarView()
    result.append(contentsOf: text.unicodeScalars.lazy.filter(isHarmless))
    return String(result)
  }

  /// Text for a single line, such as a message or a name: cut where it would be long.
  static func line(_ text: String, limit: Int = 300) -> String {
    let words = self.text(text).split { $0.isWhitespace }
    let line = words.joined(separator: " ")
    return line.count > limit ? line.prefix(limit) + "…" : line
  }

  private static func isHarmless(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x09, 0x0a: true
    case 0..<0x20, 0x7f..<0xa0: false
    // Embeddings, overrides and isolates of writing direction reach beyond the text they are in.
    case 0x202a...0x202e, 0x2066...0x2069: false
    // Line and paragraph separators are breaks to some terminals.
    case 0x2028, 0x2029: false
    default: true
    }
  }
}
