/// Sizes as people write them and as Vise prints them.
public enum SizeText {
  /// Longer ones first, for most end in `b`.
  private static let units: [(word: String, bytes: Double)] = [
    ("kib", 1024), ("mib", 1_048_576), ("gib", 1_073_741_824), ("tib", 1_099_511_627_776),
    ("kb", 1e3), ("mb", 1e6), ("gb", 1e9), ("tb", 1e12), ("bytes", 1), ("b", 1),
    ("k", 1e3), ("m", 1e6), ("g", 1e9), ("t", 1e12), ("", 1),
  ]

  /// The bytes of `90MB`, `90M`, `1.5 GiB`, `3000 B` or `3000`; nil for anything else, for less than one, and for more than a file
  /// system holds.
  public static func bytes(_ text: some StringProtocol) -> Int? {
    let word = text.lowercased().filter { !$0.isWhitespace && $0 != "_" }
    guard let unit = units.first(where: { word.hasSuffix($0.word) }),
      let number = number(word.dropLast(unit.word.count))
    else { return nil }
    // Parts of bytes are a slip of the pen: bits a weight without their unit.
    guard unit.bytes > 1 || number == number.rounded() else { return nil }
    let bytes = (number * unit.bytes).rounded()
    return bytes >= 1 && bytes < 9e15 ? Int(bytes) : nil
  }

  /// A number above zero in plain digits; nil for anything else.
  public static func number(_ text: some StringProtocol) -> Double? {
    let digits = text.allSatisfy { $0.isASCII && ($0.isNumber || ".e+-".contains($0)) }
    guard digits, let number = Double(String(text)), number > 0, number.isFinite else { return nil }
    return number
  }
}
