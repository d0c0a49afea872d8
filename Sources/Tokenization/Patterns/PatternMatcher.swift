/// Finds the matches of a pattern in one text.
///
/// It tries one way after the other, and remembers which it tried as soon as it takes longer than usual: no step is
/// then taken twice at one place of the text, so that no text takes longer than its length times the pattern's. What
/// lookaheads and atomic groups see is bounded instead.
struct PatternMatcher {
  private let pattern: Pattern
  private let text: TextScanner
  private let range: Range<Int>
  private var pending: [Pending] = []
  private(set) var stepsTaken = 0
  /// The run that was taken last: one that begins inside it ends where it ends.
  private var lastRun: (step: Int, range: Range<Int>, limit: Int)?
  /// One bit for every step at every place; empty while there is no need.
  private var tried: [UInt64] = []

  /// Bytes that a lookahead, and an atomic group, sees at most.
  private static let insight = (look: 1 << 7, atomic: 1 << 10)
  /// Steps for each byte that are usual.
  private let usualSteps: Int

  /// A way that is left to try: at `place`, or at any scalar back to `lowest`.
  private struct Pending {
    let step: Int
    var place: Int
    let lowest: Int
  }

  /// A matcher for the bytes in `range` of a text, which see nothing of the others.
  init(_ pattern: Pattern, in text: TextScanner, _ range: Range<Int>, usualSteps: Int = 64) {
    self.usualSteps = usualSteps
    self.pattern = pattern
    self.text = text
    self.range = range
  }

  /// The leftmost match from `start` on; nil if there is none.
  mutating func firstMatch(from start: Int) -> Range<Int>? {
    var place = start
    while place <= range.upperBound {
      if let first = pattern.firstBytes {
        while place < range.upperBound, !first[Int(text.bytes[place])] { place += 1 }
        if place == range.upperBound { return nil }
      }
      if let end = match(from: 0, at: place, to: range.upperBound) { return place..<end }
      guard place < range.upperBound else { return nil }
      place = text.value(at: place).end
    }
    return nil
  }

  /// The end of the match of what begins at `step`; nil if there is none at `start`.
  private mutating func match(
    from step: Int, at start: Int, to end: Int, isInner: Bool = false
  ) -> Int? {
    let depth = pending.count
    var (step, place) = (step, start)
    while true {
      stepsTaken += 1
      if isInner || !wasTried(step, place) {
        if pattern.steps[step] == .accept {
          pending.removeLast(pending.count - depth)
          if !isInner { forgetTries(at: place) }
          return place
        }
        if advance(&step, &place, end, isInner) { continue }
      }
      guard let way = nextWay(above: depth) else { return nil }
      (step, place) = way
    }
  }

  /// Takes one step; false if it cannot be taken.
  @inline(__always)
  private mutating func advance(
    _ step: inout Int, _ place: inout Int, _ end: Int, _ isInner: Bool
  ) -> Bool {
    switch pattern.steps[step] {
    case .scalar(let set):
      step += 1
      return take(set, &place, end)
    case .run(let set, let possessive):
      return run(set, possessive, isInner, &step, &place, end)
    case .fork(let first, let other):
      pending.append(Pending(step: other, place: place, lowest: place))
      step = first
      return true
    case .jump(let next):
      step = next
      return true
    case .look(let isNegative, let next):
      let limit = min(end, place + Self.insight.look)
      let isFound = match(from: step + 1, at: place, to: limit, isInner: true) != nil
      step = next
      return isFound != isNegative
    case .atomic(let next):
      let limit = min(end, place + Self.insight.atomic)
      guard let found = match(from: step + 1, at: place, to: limit, isInner: true) else {
        return false
      }
      (step, place) = (next, found)
      return true
    case let assertion:
      step += 1
      return holds(assertion, at: place, end)
    }
  }

  @inline(__always)
  private func take(_ set: Pattern.SetNumber, _ place: inout Int, _ end: Int) -> Bool {
    guard place < end else { return false }
    let next = text.value(at: place)
    guard pattern.contains(set, next.value, text.kinds(of: next.value)) else { return false }
    place = next.end
    return true
  }

  /// Takes a run of a set, and leaves its shorter forms for later.
  private mutating func run(
    _ set: Pattern.SetNumber, _ possessive: Bool, _ isInner: Bool, _ step: inout Int, _ place: inout Int,
    _ end: Int
  ) -> Bool {
    if !possessive, !isInner, !tried.isEmpty {
      // One scalar at a time, as every place is remembered.
      pending.append(Pending(step: step + 1, place: place, lowest: place))
      if take(set, &place, end) { return true }
      pending.removeLast()
      step += 1
      return true
    }
    let lowest = place
    if let last = lastRun, last.step == step, last.limit == end, last.range.contains(place) {
      place = last.range.upperBound
    } else {
      while take(set, &place, end) {}
      lastRun = (step, lowest..<place, end)
    }
    step += 1
    if !possessive, place > lowest {
      pending.append(Pending(step: step, place: text.scalarBefore(place), lowest: lowest))
    }
    return true
  }

  private mutating func nextWay(above depth: Int) -> (step: Int, place: Int)? {
    guard pending.count > depth, var way = pending.popLast() else { return nil }
    let found = (way.step, way.place)
    if way.place > way.lowest {
      way.place = text.scalarBefore(way.place)
      pending.append(way)
    }
    return found
  }

  /// Whether a step was taken at a place before, which then led to no match; remembers that it is taken now.
  @inline(__always)
  private mutating func wasTried(_ step: Int, _ place: Int) -> Bool {
    if tried.isEmpty {
      guard stepsTaken > usualSteps * (range.count + 64) else { return false }
      let bits = pattern.steps.count * (range.count + 1)
      tried = Array(repeating: 0, count: bits / 64 + 1)
    }
    let bit = step * (range.count + 1) + place - range.lowerBound
    if tried[bit / 64] & 1 << UInt64(bit % 64) != 0 { return true }
    tried[bit / 64] |= 1 << UInt64(bit % 64)
    return false
  }

  /// The way that led to a match ended here, and the next match may begin with the same steps.
  private mutating func forgetTries(at place: Int) {
    guard !tried.isEmpty else { return }
    for step in pattern.steps.indices {
      let bit = step * (range.count + 1) + place - range.lowerBound
      tried[bit / 64] &= ~(1 << UInt64(bit % 64))
    }
  }

  private func holds(_ assertion: Pattern.Step, at place: Int, _ end: Int) -> Bool {
    switch assertion {
    case .before(let set, let isNegative):
      guard place > range.lowerBound else { return isNegative }
      let value = text.value(at: text.scalarBefore(place)).value
      return pattern.contains(set, value, text.kinds(of: value)) != isNegative
    case .textStart: return place == range.lowerBound
    case .textEnd: return place == end
    case .lineStart:
      return place == range.lowerBound || text.bytes[place - 1] == UInt8(ascii: "\n")
    case .lineEnd: return place == end || text.bytes[place] == UInt8(ascii: "\n")
    case .wordBoundary(let isNegative):
      return (isWord(before: place) != isWord(at: place, end)) != isNegative
    default: return true
    }
  }

  private func isWord(before place: Int) -> Bool {
    place > range.lowerBound && isWord(at: text.scalarBefore(place), range.upperBound)
  }

  private func isWord(at place: Int, _ end: Int) -> Bool {
    guard place < end else { return false }
    let value = text.value(at: place).value
    return ScalarSet.words.contains(value, text.kinds(of: value))
  }
}
