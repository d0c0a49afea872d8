/// The commands that fit a few letters, best first.
struct PaletteMatches {
  /// One entry an action.
  let rows: [KeyEntry]

  init(keys: KeyTable, text: String) {
    let needle = text.lowercased().filter { !$0.isWhitespace }
    let candidates = keys.actionsInOrder.filter { !$0.isLocal }.compactMap { keys.entry(for: $0) }
    guard !needle.isEmpty else {
      rows = candidates
      return
    }
    rows = candidates.enumerated().compactMap { place, entry in
      Self.rank(entry, needle).map { (rank: $0, place: place, entry: entry) }
    }.sorted { ($0.rank, $0.place) < ($1.rank, $1.place) }.map(\.entry)
  }

  /// Smaller is better: the name's beginning, its inside, its letters in order, the help's words.
  private static func rank(_ entry: KeyEntry, _ needle: String) -> Int? {
    let name = entry.action.rawValue.filter { $0 != "-" }
    if name.hasPrefix(needle) { return 0 }
    if name.contains(needle) { return 1 }
    if entry.help.lowercased().filter({ !$0.isWhitespace }).contains(needle) { return 2 }
    return isSubsequence(needle, of: name) ? 3 : nil
  }

  private static func isSubsequence(_ needle: String, of text: String) -> Bool {
    var rest = Substring(needle)
    for character in text where character == rest.first { rest = rest.dropFirst() }
    return rest.isEmpty
  }
}
