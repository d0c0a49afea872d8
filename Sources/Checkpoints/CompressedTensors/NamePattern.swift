/// A regular expression that names of modules are matched with, as Python's `re.match` does: from the start of the
/// name, not necessarily to its end.
///
/// All positions that a match could be at advance together, so that no pattern takes longer than its length times the
/// name's, whatever a hostile file holds. Back references and lookbehinds are not read.
struct NamePattern: Sendable {
  /// What a pattern does at one place, and where it goes on.
  enum Step: Sendable {
    case character(CharacterClass, next: Int)
    /// Goes on at both places.
    case fork(Int, Int)
    case start(next: Int)
    case end(next: Int)
    /// Goes on if what begins at `first` matches from here, or if it does not.
    case look(first: Int, isNegative: Bool, next: Int)
    case accept
  }

  /// Characters, by themselves and in ranges.
  struct CharacterClass: Sendable {
    var ranges: [ClosedRange<Unicode.Scalar>] = []
    var isInverted = false

    func contains(_ scalar: Unicode.Scalar) -> Bool {
      ranges.contains { $0.contains(scalar) } != isInverted
    }
  }

  private let steps: [Step]
  private let first: Int

  /// Reads a pattern; nil if it is malformed, too long, or uses what is not read.
  init?(_ text: String) {
    var compiler = NamePatternCompiler(text)
    guard let first = compiler.compile() else { return nil }
    self.first = first
    steps = compiler.steps
  }

  /// Whether the pattern matches at the start of `name`.
  func matches(_ name: String) -> Bool {
    matches(Array(name.unicodeScalars), from: first, at: 0)
  }

  private func matches(_ name: [Unicode.Scalar], from step: Int, at position: Int) -> Bool {
    var active: Set<Int> = [step]
    for place in position...name.count {
      var (reached, todo) = (Set<Int>(), Array(active))
      while let index = todo.popLast() {
        guard reached.insert(index).inserted else { continue }
        switch steps[index] {
        case .accept: return true
        case .character: break
        case .fork(let one, let other): todo += [one, other]
        case .start(let next): if place == 0 { todo.append(next) }
        case .end(let next): if place == name.count { todo.append(next) }
        case .look(let first, let isNegative, let next):
          if matches(name, from: first, at: place) != isNegative { todo.append(next) }
        }
      }
      guard place < name.count else { return false }
      active = []
      for case .character(let characters, let next) in reached.map({ steps[$0] })
      where characters.contains(name[place]) {
        active.insert(next)
      }
    }
    return false
  }
}
