/// Finds the matches of a pattern in one text.
///
/// It tries one way after the other, and remembers which it tried as soon as it takes longer than usual: no step is
/// then taken twice at one place of the text, so that no text takes longer than its length times the pattern's. What
/// lookaheads and atomic groups see is bounded, and so is a match: what is remembered takes bounded memory.
struct PatternMatcher {
  private let pattern: Pattern
  private let text: TextScanner
  private let range: Range<Int>
  private var pending: [Pending] = []
  private(set) var stepsTaken = 0
  /// The run that was taken last: one that begins inside it ends where it ends.
  private var lastRun: (step: Int, range: Range<Int>, limit: Int)?
  /// Whether each step was taken at each place of ``window``; nil while there is no need.
  private var tried: TriedSteps?
  /// Where lookaheads and atomic groups ended that were looked into before, or -1; by step and place.
  private var inner: [UInt64: Int] = [:]
  /// What a match may lie in.
  private var window: Range<Int>

  /// Most results of lookaheads and atomic groups that are remembered.
  private static let innerLimit = 1 << 16
  /// Bits that are remembered at most: 32 MB.
  private static let windowBits = 1 << 28
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
    window = Self.window(pattern, range, from: range.lowerBound)
  }

  private static func window(_ pattern: Pattern, _ range: Range<Int>, from start: Int) -> Range<Int>
  {
    start..<min(range.upperBound, start + windowBits / pattern.steps.count)
  }

  /// Moves the window on when half of it lies behind, long before what is left holds no whole word.
  private mutating func moveWindow(to place: Int) {
    guard window.upperBound < range.upperBound, place - window.lowerBound > window.count / 2 else {
      return
    }
    window = Self.window(pattern, range, from: place)
    tried = tried.map { _ in TriedSteps(pattern.steps.count, window) }
  }

  /// The leftmost match from `start` on; nil if there is none.
  mutating func firstMatch(from start: Int) -> Range<Int>? {
    var place = start
    while place <= range.upperBound {
      moveWindow(to: place)
      if let first = pattern.firstBytes {
        while place < range.upperBound, !first[Int(text.bytes[place])] { place += 1 }
        if place == range.upperBound { return nil }
        moveWindow(to: place)
      }
      if let end = match(from: 0, at: place, to: window.upperBound) { return place..<end }
      guard place < range.upperBound else { return nil }
      place = text.value(at: place).end
    }
    return nil
  }

  /// The end of the match of what begins at `step`; nil if there is none at `start`.
  private mutating func match(
    from step: Int, at start: Int, to end: Int
  ) -> Int? {
    let depth = pending.count
    var (step, place) = (step, start)
    while true {
      stepsTaken += 1
      if !wasTried(step, place) {
        if pattern.steps[step] == .accept {
          pending.removeLast(pending.count - depth)
          tried?.forget(at: place)
          return place
        }
        if advance(&step, &place, end, isInner: false) { continue }
      }
      guard let way = nextWay(above: depth) else { return nil }
      (step, place) = way
    }
  }

  /// The end of the match of a lookahead's or an atomic group's steps; nil if there is none at `start`.
  private mutating func innerMatch(_ steps: Range<Int>, at start: Int, insight: Int) -> Int? {
    let key = UInt64(steps.lowerBound) << 40 | UInt64(start)
    if isSlow, let known = inner[key] { return known < 0 ? nil : known }
    let end = min(range.upperBound, start + insight)
    let found = innerMatch(steps, at: start, to: end)
    if isSlow {
      if inner.count == Self.innerLimit { inner.removeAll(keepingCapacity: true) }
      inner[key] = found ?? -1
    }
    return found
  }

  private mutating func innerMatch(_ steps: Range<Int>, at start: Int, to end: Int) -> Int? {
    let depth = pending.count
    let usual = stepsTaken + usualSteps * 16
    var tried: TriedSteps?
    var (step, place) = (steps.lowerBound, start)
    while true {
      stepsTaken += 1
      if stepsTaken > usual, tried == nil {
        tried = TriedSteps(steps.count, start..<end)
      }
      if !(tried?.insert(step - steps.lowerBound, place) ?? false) {
        if pattern.steps[step] == .accept {
          pending.removeLast(pending.count - depth)
          return place
        }
        if advance(&step, &place, end, isInner: true, isRemembered: tried != nil) { continue }
      }
      guard let way = nextWay(above: depth) else { return nil }
      (step, place) = way
    }
  }

  /// Takes one step; false if it cannot be taken.
  @inline(__always)
  private mutating func advance(
    _ step: inout Int, _ place: inout Int, _ end: Int, isInner: Bool, isRemembered: Bool = false
  ) -> Bool {
    switch pattern.steps[step] {
    case .scalar(let set):
      step += 1
      return take(set, &place, end)
    case .run(let set, let possessive):
      let isSingle = isInner ? isRemembered : tried != nil
      return run(set, possessive, isSingle, &step, &place, end)
    case .fork(let first, let other):
      pending.append(Pending(step: other, place: place, lowest: place))
      step = first
      return true
    case .jump(let next):
      step = next
      return true
    case .look(let isNegative, let next):
      let isFound =
        innerMatch(step + 1..<next, at: place, insight: Pattern.insight.look) != nil
      step = next
      return isFound != isNegative
    case .atomic(let next):
      guard
        let found = innerMatch(step + 1..<next, at: place, insight: Pattern.insight.atomic),
        found <= end
      else { return false }
      (step, place) = (next, found)
      return true
    case let assertion:
      step += 1
      return holds(assertion, at: place)
    }
  }

  @inline(__always)
  private func take(_ set: Pattern.SetNumber, _ place: inout Int, _ end: Int) -> Bool {
    guard place < end else { return false }
    let next = text.value(at: place)
    guard next.end <= end, pattern.contains(set, next.value, text.kinds(of: next.value)) else {
      return false
    }
    place = next.end
    return true
  }

  /// Takes a run of a set, and leaves its shorter forms for later.
  private mutating func run(
    _ set: Pattern.SetNumber, _ possessive: Bool, _ isSingle: Bool, _ step: inout Int,
    _ place: inout Int,
    _ end: Int
  ) -> Bool {
    if !possessive, isSingle {
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

  /// Whether the text takes longer than usual.
  private var isSlow: Bool { stepsTaken > usualSteps * (range.count + 64) }

  /// Whether a step was taken at a place before, which then led to no match; remembers that it is taken now.
  @inline(__always)
  private mutating func wasTried(_ step: Int, _ place: Int) -> Bool {
    if tried == nil {
      guard isSlow else { return false }
      tried = TriedSteps(pattern.steps.count, window)
    }
    return tried?.insert(step, place) ?? false
  }

  private func holds(_ assertion: Pattern.Step, at place: Int) -> Bool {
    switch assertion {
    case .before(let set, let isNegative):
      guard place > range.lowerBound else { return isNegative }
      let value = text.value(at: text.scalarBefore(place)).value
      return pattern.contains(set, value, text.kinds(of: value)) != isNegative
    case .textStart: return place == range.lowerBound
    case .textEnd: return place == range.upperBound
    case .lineStart:
      return place == range.lowerBound || text.bytes[place - 1] == UInt8(ascii: "\n")
    case .lineEnd: return place == range.upperBound || text.bytes[place] == UInt8(ascii: "\n")
    case .wordBoundary(let isNegative):
      return (isWord(before: place) != isWord(at: place, range.upperBound)) != isNegative
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
