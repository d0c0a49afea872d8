/// The name or path of one file of a model that was split: `model-00002-of-00003.safetensors`.
package struct PartName: Hashable, Sendable {
  /// What comes before the numbers.
  package let stem: String
  /// From 0.
  let index: Int
  let count: Int
  private let digits: Int
  private let suffix: String

  /// How llama.cpp's `llama-gguf-split` writes the numbers.
  private static let ggufDigits = 5

  private init(stem: String, index: Int, count: Int, digits: Int, suffix: String) {
    self.stem = stem
    (self.index, self.count) = (index, count)
    self.digits = digits
    self.suffix = suffix
  }

  /// Nil for names of other forms, or numbers that are out of order.
  init?(_ name: String, suffix: String) {
    guard name.hasSuffix(suffix) else { return nil }
    let parts = name.dropLast(suffix.count).split(
      separator: "-", omittingEmptySubsequences: false)
    guard parts.count >= 4, parts[parts.count - 2] == "of",
      let number = Int(parts[parts.count - 3]), let count = Int(parts[parts.count - 1]),
      (1...100_000).contains(count), (1...count).contains(number)
    else { return nil }
    self.init(
      stem: parts.dropLast(3).joined(separator: "-"), index: number - 1, count: count,
      digits: parts[parts.count - 1].count, suffix: suffix)
  }

  /// A part of a split GGUF file; nil for a path that is not exactly as llama.cpp names such.
  package init?(gguf path: String) {
    self.init(path, suffix: ".gguf")
    guard digits == Self.ggufDigits, self.path == path else { return nil }
  }

  /// This part's own name.
  var path: String { part(index) }

  /// The name of another part of the same model.
  func part(_ index: Int) -> String { stem + ending(index) }

  /// The names of all parts, in their order.
  var all: [String] { (0..<count).map(part) }

  /// Whether both are parts of one model.
  package func belongs(with other: PartName) -> Bool {
    stem == other.stem && count == other.count
  }

  /// What the name of such a part of a GGUF file ends in.
  static func ggufEnding(_ index: Int, of count: Int) -> String {
    PartName(stem: "", index: index, count: count, digits: ggufDigits, suffix: ".gguf").path
  }

  private func ending(_ index: Int) -> String {
    "-\(padded(index + 1))-of-\(padded(count))\(suffix)"
  }

  private func padded(_ number: Int) -> String {
    let text = String(number)
    return String(repeating: "0", count: max(0, digits - text.count)) + text
  }
}
