/// What stands behind `:prompt`.
enum PromptWords {
  /// The file that a text names: behind `@`, or as a path; a single word with a dot or a slash in it may name one.
  static func file(of text: String) -> (path: String, isCertain: Bool)? {
    if text.hasPrefix("@") { return (String(text.dropFirst()), true) }
    guard !text.contains(where: \.isWhitespace) else { return nil }
    if ["/", "./", "../", "~/"].contains(where: text.hasPrefix) { return (text, true) }
    return text.contains(".") || text.contains("/") ? (text, false) : nil
  }

  /// A prompt in a few words.
  static func title(of prompt: String) -> String {
    let line = prompt.split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
    return line.count > 60 ? "\(line.prefix(59))\u{2026}" : line
  }
}
