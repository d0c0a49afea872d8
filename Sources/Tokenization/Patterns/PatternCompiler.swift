/// Writes a regular expression's parts as steps.
struct PatternCompiler {
  private let text: String
  private var steps: [Pattern.Step] = []
  private var sets: [ScalarSet] = []
  private var numbers: [ScalarSet: Int] = [:]

  init(_ text: String) { self.text = text }

  mutating func compile() throws(PatternError) -> ([Pattern.Step], [ScalarSet]) {
    var parser = PatternParser(text)
    try write(try parser.parse())
    try add(.accept)
    return (steps, sets)
  }

  private mutating func add(_ step: Pattern.Step) throws(PatternError) {
    guard steps.count < Pattern.maximumSteps else {
      throw PatternError(reason: "comes to more than \(Pattern.maximumSteps) steps")
    }
    steps.append(step)
  }

  private mutating func number(of set: ScalarSet) -> Int {
    if let known = numbers[set] { return known }
    numbers[set] = sets.count
    sets.append(set)
    return sets.count - 1
  }

  private mutating func write(_ node: PatternNode) throws(PatternError) {
    switch node {
    case .set(let set): try add(.scalar(number(of: set)))
    case .sequence(let parts): for part in parts { try write(part) }
    case .assertion(let step): try add(step)
    case .alternatives(let parts): try write(alternatives: parts)
    case .atomic(let part):
      let place = steps.count
      try add(.atomic(next: 0))
      try write(part)
      try add(.accept)
      steps[place] = .atomic(next: steps.count)
    case .look(let part, let isNegative, let isBehind):
      try write(look: part, isNegative, isBehind)
    case .repeated(let part, let minimum, let maximum, let greed):
      try write(part, minimum, maximum, greed)
    }
  }

  private mutating func write(alternatives parts: [PatternNode]) throws(PatternError) {
    var ends: [Int] = []
    for (number, part) in parts.enumerated() {
      let fork = steps.count
      let isLast = number == parts.count - 1
      if !isLast { try add(.fork(fork + 1, 0)) }
      try write(part)
      guard !isLast else { break }
      ends.append(steps.count)
      try add(.jump(0))
      steps[fork] = .fork(fork + 1, steps.count)
    }
    for end in ends { steps[end] = .jump(steps.count) }
  }

  private mutating func write(
    look part: PatternNode, _ isNegative: Bool, _ isBehind: Bool
  ) throws(PatternError) {
    if isBehind {
      guard case .set(let set) = part else {
        throw PatternError(reason: "looks back for more than one character")
      }
      return try add(.before(number(of: set), isNegative: isNegative))
    }
    let place = steps.count
    try add(.look(isNegative: isNegative, next: 0))
    try write(part)
    try add(.accept)
    steps[place] = .look(isNegative: isNegative, next: steps.count)
  }

  private mutating func write(
    _ part: PatternNode, _ minimum: Int, _ maximum: Int?, _ greed: PatternGreed
  ) throws(PatternError) {
    if greed == .possessive, maximum != nil || !part.isSet {
      let inner = PatternNode.repeated(part, minimum: minimum, maximum: maximum, .greedy)
      return try write(.atomic(inner))
    }
    for _ in 0..<minimum { try write(part) }
    guard let maximum else { return try writeEndless(part, greed) }
    var forks: [Int] = []
    for _ in minimum..<maximum {
      forks.append(steps.count)
      try add(.fork(0, 0))
      try write(part)
    }
    for fork in forks {
      steps[fork] = greed == .lazy ? .fork(steps.count, fork + 1) : .fork(fork + 1, steps.count)
    }
  }

  private mutating func writeEndless(
    _ part: PatternNode, _ greed: PatternGreed
  ) throws(PatternError) {
    if case .set(let set) = part, greed != .lazy {
      return try add(.run(number(of: set), possessive: greed == .possessive))
    }
    let fork = steps.count
    try add(.fork(0, 0))
    try write(part)
    try add(.jump(fork))
    steps[fork] = greed == .lazy ? .fork(steps.count, fork + 1) : .fork(fork + 1, steps.count)
  }
}

extension PatternNode {
  fileprivate var isSet: Bool { if case .set = self { true } else { false } }
}
