import Terminal

/// One key press, or two after each other, as `g g`.
struct KeySequence: Hashable, Sendable, CustomStringConvertible {
  let presses: [KeyPress]

  init(_ presses: [KeyPress]) { self.presses = presses }

  /// Reads key names separated by blanks: `ctrl-r`, `g g`; nil if one of them names no key.
  init?(_ text: some StringProtocol) {
    var presses: [KeyPress] = []
    for word in text.split(separator: " ") {
      guard let press = KeyPress(parsing: String(word)) else { return nil }
      presses.append(press)
    }
    guard (1...2).contains(presses.count) else { return nil }
    self.presses = presses
  }

  /// Letters of a sequence are written together, as people say them: `gg`.
  var description: String {
    let names = presses.map(\.description)
    return names.joined(separator: names.allSatisfy { $0.count == 1 } ? "" : " ")
  }
}
