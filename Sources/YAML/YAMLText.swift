/// What is asked of YAML before a parser sees it.
public enum YAMLText {
  /// The first line, from 1, with an anchor; nil if there is none.
  ///
  /// Files that people write need no aliases, and a few lines of nested ones would unfold into gigabytes.
  public static func lineOfAnchor(in yaml: String) -> Int? {
    guard yaml.utf8.contains(UInt8(ascii: "&")) else { return nil }
    let lines = yaml.split(omittingEmptySubsequences: false) { $0.isNewline }
    for (index, line) in lines.enumerated() where line.utf8.contains(UInt8(ascii: "&")) {
      let words = line.split { $0.isWhitespace || "[]{},:-?".contains($0) }
      if words.contains(where: { $0.hasPrefix("&") && $0.count > 1 }) { return index + 1 }
    }
    return nil
  }
}
