/// The name of one of several files that make a whole: `model-00001-of-00002.safetensors`.
struct PartName: Hashable, Sendable {
  /// What comes before the numbers.
  let stem: String
  /// From 1.
  let number: Int
  let count: Int
  private let digits: Int
  private let suffix: String

  /// Nil for names of other forms, or numbers that are out of order.
  init?(_ name: String, suffix: String) {
    guard name.hasSuffix(suffix) else { return nil }
    let parts = name.dropLast(suffix.count).split(
      separator: "-", omittingEmptySubsequences: false)
    guard parts.count >= 4, parts[parts.count - 2] == "of",
      let number = Int(parts[parts.count - 3]), let count = Int(parts[parts.count - 1]),
      (1...100_000).contains(count), (1...count).contains(number)
    else { return nil }
    stem = parts.dropLast(3).joined(separator: "-")
    (self.number, self.count, digits) = (number, count, parts[parts.count - 1].count)
    self.suffix = suffix
  }

  /// The names of all parts, in their order.
  var all: [String] { (1...count).map { "\(stem)-\(padded($0))-of-\(padded(count))\(suffix)" } }

  private func padded(_ number: Int) -> String {
    let text = String(number)
    return String(repeating: "0", count: max(0, digits - text.count)) + text
  }
}
