/// A regular expression over names of layers and modules, from a person, a plan or a checkpoint's file.
///
/// All ways that a match could take advance together (Thompson 1968), from the end of a name to its start, and what a
/// lookahead sees is worked out once for every place: no pattern takes longer than its length times the name's, however
/// hostile. Groups, choices, classes, `\d \w \s \b`, greedy and lazy repetition, lookahead and a leading `(?i)` are read;
/// back references, lookbehind and possessive repetition are not.
public struct NamePattern: Sendable {
  /// How much of a name a match has to take.
  public enum Extent: Sendable {
    /// From the start, not necessarily to the end: Python's `re.match`.
    case start
    /// All of it.
    case whole
  }

  /// What a pattern does at one place, and where it goes on.
  enum Step: Sendable {
    case character(NameCharacters, next: Int)
    /// Goes on at both places.
    case fork(Int, Int)
    case assertion(Assertion, next: Int)
    case accept
  }

  enum Assertion: Sendable {
    case start, end
    case wordBoundary(isNegative: Bool)
    /// Whether the program of this number matches from here, or does not.
    case look(Int, isNegative: Bool)
  }

  /// A lookahead, or the pattern itself.
  struct Program: Sendable {
    let steps: [Step]
    let first: Int
    /// By step: those that go on there.
    let comingFrom: [[Int]]

    init(_ steps: [Step], first: Int) {
      self.steps = steps
      self.first = first
      var comingFrom = Array(repeating: [Int](), count: steps.count)
      for (index, step) in steps.enumerated() {
        switch step {
        case .character(_, let next), .assertion(_, let next): comingFrom[next].append(index)
        case .fork(let one, let other):
          comingFrom[one].append(index)
          if other != one { comingFrom[other].append(index) }
        case .accept: break
        }
      }
      self.comingFrom = comingFrom
    }
  }

  /// The longest pattern that is read, in characters.
  public static let lengthLimit = 1024

  /// Lookaheads, those within others first; the pattern itself last.
  private let programs: [Program]

  /// Reads a pattern.
  ///
  /// - Throws: ``NamePatternError`` that says what is wrong with it, or what is not read.
  public init(_ text: String) throws(NamePatternError) {
    var compiler = NamePatternCompiler(text)
    programs = try compiler.compile()
  }

  /// Whether the pattern matches `name`.
  public func matches(_ name: String, _ extent: Extent) -> Bool {
    var work = 0
    return matches(name, extent, work: &work)
  }

  /// Whether the pattern matches `name`; adds the steps that this took to `work`.
  public func matches(_ name: String, _ extent: Extent, work: inout Int) -> Bool {
    let name = Array(name.unicodeScalars)
    var looks: [[Bool]] = []
    for (number, program) in programs.enumerated() {
      let isLast = number == programs.count - 1
      looks.append(
        Self.matches(
          of: program, in: name, looks, toEnd: isLast && extent == .whole, work: &work))
    }
    return looks.last?[0] ?? false
  }

  /// By place: whether the program matches what begins there.
  private static func matches(
    of program: Program, in name: [Unicode.Scalar], _ looks: [[Bool]], toEnd: Bool,
    work: inout Int
  ) -> [Bool] {
    var result = Array(repeating: false, count: name.count + 1)
    /// The steps from which a match is reached, at this place and at the next.
    var (here, ahead) = ([Int](), [Int]())
    /// The last place that a step was reached at.
    var reached = Array(repeating: -1, count: program.steps.count)
    for place in stride(from: name.count, through: 0, by: -1) {
      here.removeAll(keepingCapacity: true)
      func reach(_ step: Int, _ list: inout [Int], _ reached: inout [Int]) {
        guard reached[step] != place else { return }
        reached[step] = place
        list.append(step)
      }
      if !toEnd || place == name.count { reach(0, &here, &reached) }
      for step in ahead {
        for source in program.comingFrom[step] {
          work += 1
          guard case .character(let characters, _) = program.steps[source],
            characters.contains(name[place])
          else { continue }
          reach(source, &here, &reached)
        }
      }
      var next = 0
      while next < here.count {
        for source in program.comingFrom[here[next]] {
          work += 1
          switch program.steps[source] {
          case .fork: reach(source, &here, &reached)
          case .assertion(let assertion, _):
            if holds(assertion, at: place, in: name, looks) { reach(source, &here, &reached) }
          case .character, .accept: break
          }
        }
        next += 1
      }
      work += 1 + here.count
      result[place] = reached[program.first] == place
      swap(&here, &ahead)
    }
    return result
  }

  private static func holds(
    _ assertion: Assertion, at place: Int, in name: [Unicode.Scalar], _ looks: [[Bool]]
  ) -> Bool {
    switch assertion {
    case .start: return place == 0
    case .end: return place == name.count
    case .wordBoundary(let isNegative):
      let before = place > 0 && NameCharacters.words.contains(name[place - 1])
      let behind = place < name.count && NameCharacters.words.contains(name[place])
      return (before != behind) != isNegative
    case .look(let number, let isNegative): return looks[number][place] != isNegative
    }
  }
}

/// Why a regular expression is not read, to follow its text: `has a lookbehind, which is not read`.
public struct NamePatternError: Error, Hashable, Sendable {
  public let reason: String
}
