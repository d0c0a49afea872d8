/// Text from files, people and servers, made fit for a terminal: nothing in it can move the cursor, colour the screen, or
/// turn or hide the text around.
public enum DisplayText {
  /// Text of an answer: line breaks and tabs stay, what does harm is left out.
  public static func text(_ text: String) -> String {
    guard !isHarmless(text) else { return text }
    var result = String.UnicodeScalarView()
    let scalars = Array(text.unicodeScalars)
    for (place, scalar) in scalars.enumerated() {
      // Joiners are part of how some scripts and emoji are written; what is around them may come later.
      let joins =
        (0x200c...0x200d).contains(scalar.value)
        && (place == 0 || scalars[place - 1].value >= 0x80)
        && (place + 1 == scalars.count || scalars[place + 1].value >= 0x80)
      if joins || !isHarmful(scalar) { result.append(scalar) }
    }
    return String(result)
  }

  /// Text for a single line, such as a message or a name: cut where it would be long.
  public static func line(_ text: String, limit: Int = 300) -> String {
    let words = self.text(text).split { $0.isWhitespace }
    let line = words.joined(separator: " ")
    return line.count > limit ? line.prefix(limit) + "…" : line
  }

  /// What a command prints: what does harm is spelled out, as in `\u{1b}`, so that two names that differ in it alone
  /// still differ; line breaks stay, unless it is to be a line.
  public static func spelled(_ text: String, isLine: Bool = false) -> String {
    guard !isHarmless(text) || text.utf8.contains(where: { $0 < 0x20 }) else { return text }
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      if isHarmful(scalar) || scalar == "\t" || (isLine && scalar == "\n") {
        result.append(contentsOf: "\\u{\(String(scalar.value, radix: 16))}".unicodeScalars)
      } else {
        result.append(scalar)
      }
    }
    return String(result)
  }

  /// JSON in which what does harm is escaped: the same value, fit for a terminal.
  public static func json(_ text: String) -> String {
    guard !isHarmless(text) else { return text }
    var result = ""
    for scalar in text.unicodeScalars {
      guard isHarmful(scalar) else {
        result.unicodeScalars.append(scalar)
        continue
      }
      for unit in String(scalar).utf16 {
        let digits = String(unit, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      }
    }
    return result
  }

  private static func isHarmless(_ text: String) -> Bool {
    // Text is ASCII nearly always; its bytes then tell.
    text.utf8.allSatisfy { (0x20..<0x7f).contains($0) || $0 == 0x0a || $0 == 0x09 }
      || !text.unicodeScalars.contains(where: isHarmful)
  }

  /// Whether a scalar acts on a terminal instead of being shown, or hides.
  public static func isHarmful(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x09, 0x0a: false
    case 0..<0x20, 0x7f..<0xa0: true
    case 0xa0..<0x61c: false
    // Marks, embeddings, overrides and isolates of writing direction reach beyond the text they are in.
    case 0x61c, 0x200e, 0x200f, 0x202a...0x202e, 0x2066...0x206f: true
    // What has no width: spaces, joiners, marks of files and of notes.
    case 0x200b...0x200d, 0x2060...0x2065, 0xfeff, 0xfff9...0xfffb: true
    // Line and paragraph separators are breaks to some terminals.
    case 0x2028, 0x2029: true
    // Tags spell ASCII that nobody sees.
    case 0xe0000...0xe007f: true
    default: false
    }
  }
}
