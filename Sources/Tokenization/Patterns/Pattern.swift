/// A regular expression of a tokenizer.json, compiled: what Oniguruma matches, leftmost alternatives first.
///
/// Classes, `\p{..}`, greedy, lazy and possessive repetition, atomic groups, lookahead, lookbehind of one scalar, word
/// boundaries, `(?i)`. Back references, conditions and lookbehind of more are not read.
struct Pattern: Sendable {
  /// What a pattern does at one place; where it names no other place, it goes on at the next.
  enum Step: Hashable, Sendable {
    case scalar(SetNumber)
    /// As many scalars as there are; gives them back one by one unless it is `possessive`.
    case run(SetNumber, possessive: Bool)
    /// Tries the first place, then the other.
    case fork(Int, Int)
    case jump(Int)
    /// Goes on at `next` if what begins at the following place matches here, or if it does not.
    case look(isNegative: Bool, next: Int)
    /// Goes on at `next` behind the first match of what follows.
    case atomic(next: Int)
    /// Looks at the scalar before.
    case before(SetNumber, isNegative: Bool)
    case textStart, textEnd
    /// Behind a line feed or at the start; before one or at the end.
    case lineStart, lineEnd
    case wordBoundary(isNegative: Bool)
    /// The end of the pattern, of a lookahead or of an atomic group.
    case accept
  }

  /// A set by its place in ``sets``, so that taking a step copies nothing.
  typealias SetNumber = Int

  let steps: [Step]
  private let sets: [ScalarSet]
  /// By set and ASCII code.
  private let ascii: [Bool]
  /// Bytes that a match may begin with, unless it may be empty; by value.
  let firstBytes: [Bool]?

  /// Longest program, in steps: `{m,n}` writes what it repeats out.
  static let maximumSteps = 4096

  /// Bytes that a lookahead, and an atomic group, sees at most.
  static let insight = (look: 1 << 7, atomic: 1 << 10)
  /// Most steps that all lookaheads and atomic groups may take at one place of a text.
  private static let maximumInnerWork = 1 << 16

  /// Reads a pattern.
  ///
  /// - Throws: ``PatternError`` that says what is not read.
  init(_ text: String) throws(PatternError) {
    var compiler = PatternCompiler(text)
    (steps, sets) = try compiler.compile()
    let innerWork = steps.enumerated().reduce(0) { sum, step in
      switch step.element {
      case .look(_, let next): sum + (next - step.offset) * Self.insight.look
      case .atomic(let next): sum + (next - step.offset) * Self.insight.atomic
      default: sum
      }
    }
    guard innerWork <= Self.maximumInnerWork else {
      throw PatternError(reason: "looks too far ahead at every place")
    }
    ascii = sets.flatMap { set in (UInt8.min..<128).map { set.mayContain($0) } }
    firstBytes = Self.firstBytes(steps, sets)
  }

  /// Whether a scalar of some kinds is in a set.
  @inline(__always)
  func contains(_ set: SetNumber, _ value: UInt32, _ kinds: ScalarKinds) -> Bool {
    value < 128 ? ascii[set << 7 | Int(value)] : sets[set].contains(value, kinds)
  }

  private static func firstBytes(_ steps: [Step], _ sets: [ScalarSet]) -> [Bool]? {
    var bytes = Array(repeating: false, count: 256)
    var (todo, seen): ([Int], Set<Int>) = ([0], [])
    while let place = todo.popLast() {
      guard seen.insert(place).inserted else { continue }
      switch steps[place] {
      case .scalar(let set), .run(let set, _):
        for byte in UInt8.min...UInt8.max where sets[set].mayContain(byte) {
          bytes[Int(byte)] = true
        }
        if case .run = steps[place] { todo.append(place + 1) }
      case .fork(let one, let other): todo += [one, other]
      case .jump(let next): todo.append(next)
      case .atomic: todo.append(place + 1)
      // What these allow is not worked out; a match that is empty begins anywhere.
      case .look, .accept: return nil
      case .before, .textStart, .textEnd, .lineStart, .lineEnd, .wordBoundary:
        todo.append(place + 1)
      }
    }
    return bytes
  }
}

/// Why a regular expression is not read.
struct PatternError: Error, Hashable {
  let reason: String
}
