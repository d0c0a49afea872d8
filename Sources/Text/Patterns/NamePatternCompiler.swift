/// Makes the programs of a ``NamePattern``: its parts back to front, each of which is told where to go on.
struct NamePatternCompiler {
  private var parser: NamePatternParser
  private var programs: [NamePattern.Program] = []
  private var steps: [NamePattern.Step] = [.accept]
  private var count = 0

  private static let maximumSteps = 4096

  init(_ text: String) { parser = NamePatternParser(text) }

  mutating func compile() throws(NamePatternError) -> [NamePattern.Program] {
    let part = try parser.parse()
    let first = try emit(part, next: 0)
    return programs + [NamePattern.Program(steps, first: first)]
  }

  private mutating func add(_ step: NamePattern.Step) throws(NamePatternError) -> Int {
    count += 1
    guard count < Self.maximumSteps else {
      throw NamePatternError(reason: "comes to more than \(Self.maximumSteps) steps")
    }
    steps.append(step)
    return steps.count - 1
  }

  /// The first step of a part that goes on at `next`.
  private mutating func emit(_ part: NamePatternPart, next: Int) throws(NamePatternError) -> Int {
    switch part {
    case .characters(let characters): return try add(.character(characters, next: next))
    case .assertion(let assertion): return try add(.assertion(assertion, next: next))
    case .sequence(let parts):
      var place = next
      for part in parts.reversed() { place = try emit(part, next: place) }
      return place
    case .choice(let parts):
      var place: Int?
      for part in parts.reversed() {
        let first = try emit(part, next: next)
        place = if let place { try add(.fork(first, place)) } else { first }
      }
      return place ?? next
    case .look(let part, let isNegative):
      let outer = steps
      steps = [.accept]
      let first = try emit(part, next: 0)
      programs.append(NamePattern.Program(steps, first: first))
      steps = outer
      return try add(.assertion(.look(programs.count - 1, isNegative: isNegative), next: next))
    case .repeated(let part, let least, let most):
      return try emit(part, least, most, next: next)
    }
  }

  private mutating func emit(
    _ part: NamePatternPart, _ least: Int, _ most: Int?, next: Int
  ) throws(NamePatternError) -> Int {
    var place = next
    if let most {
      for _ in least..<most { place = try add(.fork(try emit(part, next: place), next)) }
    } else {
      // The loop's own step comes first, for the part has to know where to go on.
      let loop = try add(.fork(next, next))
      steps[loop] = .fork(try emit(part, next: loop), next)
      place = loop
    }
    for _ in 0..<least { place = try emit(part, next: place) }
    return place
  }
}
