/// The path of one part of a split model: `NAME-00002-of-00003.gguf`, as `llama-gguf-split` names them.
package struct GGUFPartName: Hashable, Sendable {
  /// The path without part and extension.
  let stem: String
  /// From 0.
  let index: Int
  let count: Int

  private init(stem: String, index: Int, count: Int) {
    self.stem = stem
    self.index = index
    self.count = count
  }

  /// nil for a path that does not end so.
  package init?(_ path: String) {
    let form = /(.*)-([0-9]{5})-of-([0-9]{5})\.gguf/.dotMatchesNewlines()
    guard let parts = path.wholeMatch(of: form)?.output, let number = Int(parts.2),
      let count = Int(parts.3), number >= 1, number <= count
    else { return nil }
    self.init(stem: String(parts.1), index: number - 1, count: count)
  }

  /// Another part of the same model.
  func part(_ index: Int) -> GGUFPartName {
    GGUFPartName(stem: stem, index: index, count: count)
  }

  /// Whether both are parts of one model.
  package func belongs(with other: GGUFPartName) -> Bool {
    stem == other.stem && count == other.count
  }

  var path: String { stem + Self.ending(index, of: count) }

  /// What the name of such a part ends in.
  static func ending(_ index: Int, of count: Int) -> String {
    "-\(digits(index + 1))-of-\(digits(count)).gguf"
  }

  private static func digits(_ number: Int) -> String {
    let text = String(number)
    return String(repeating: "0", count: max(0, 5 - text.count)) + text
  }
}
