/// Runs a template's statements within limits, for one rendering.
final class TemplateInterpreter {
  private(set) var limits: TemplateLimits
  let date: ChatDate
  /// The line that runs.
  var line: Int?

  private var steps = 0
  private var characters = 0
  private var nesting = 0
  var calls = 0

  /// What has been written so far, or what a block captures.
  var output = TemplateText(elements: [])
  var scope: TemplateScope
  var namespaces: [TemplateNamespace] = []
  var loops: [TemplateLoop] = []
  /// What generators have yet to yield.
  var generators: [[TemplateValue]] = []
  var cyclers: [TemplateCycler] = []
  var joiners: [TemplateJoiner] = []
  /// Scopes that macros lie in and refer to: emptied at the end, because values refer to them in a circle.
  var macroScopes: [TemplateScope] = []

  /// - Parameters:
  ///   - variables: what the template is given.
  ///   - inputCount: characters of the messages among them.
  ///   - date: what `strftime_now` tells.
  ///   - limits: how much the template may do.
  init(
    variables: [String: TemplateValue], inputCount: Int, date: ChatDate,
    limits: TemplateLimits = TemplateLimits()
  ) {
    scope = TemplateScope(parent: nil)
    scope.variables = variables
    self.date = date
    self.limits = limits
    self.limits.characters += inputCount * TemplateLimits.charactersPerInput
    self.limits.steps +=
      inputCount * TemplateLimits.charactersPerInput / TemplateLimits.charactersPerStep
  }

  /// What the statements write.
  func render(_ statements: [TemplateStatement]) throws(ChatTemplateError) -> TemplateText {
    defer { for scope in macroScopes { scope.variables.removeAll() } }
    // The template's own variables are apart from what it is given, as in Jinja.
    scope = TemplateScope(parent: scope)
    _ = try run(statements)
    guard output.utf8Count <= limits.output else { throw tooMuchOutput }
    return output
  }

  // MARK: - Limits

  func error(_ reason: String) -> ChatTemplateError {
    ChatTemplateError(line: line, reason: reason)
  }

  /// Counts the work of looking at some values.
  func step(_ count: Int = 1) throws(ChatTemplateError) {
    steps += count
    guard steps <= limits.steps else {
      throw error("runs for more than \(limits.steps) steps")
    }
  }

  /// Counts the work of looking at `count` characters.
  func scan(_ count: Int) throws(ChatTemplateError) {
    try step(count / TemplateLimits.charactersPerStep)
  }

  /// Counts `count` characters before they are made.
  func allocate(_ count: Int) throws(ChatTemplateError) {
    let (sum, overflows) = characters.addingReportingOverflow(max(count, 0))
    guard !overflows, sum <= limits.characters else {
      throw error("makes strings of more than \(limits.characters) characters")
    }
    characters = sum
    try scan(count)
  }

  /// Counts something that lies within what is under way; ``leave()`` ends it.
  func enter() throws(ChatTemplateError) {
    nesting += 1
    guard nesting <= limits.nesting else {
      // The caller has not entered, and will not leave.
      nesting -= 1
      throw error("more than \(limits.nesting) expressions and blocks lie within one another")
    }
  }

  func leave() { nesting -= 1 }

  private var tooMuchOutput: ChatTemplateError {
    error("writes more than \(limits.output) bytes")
  }

  // MARK: - Output and values

  func write(_ text: TemplateText) throws(ChatTemplateError) {
    guard output.count + text.count <= limits.output else { throw tooMuchOutput }
    try allocate(text.count)
    output.elements += text.elements
  }

  /// What `body` writes, instead of its being written.
  func captured(
    _ body: () throws(ChatTemplateError) -> Void
  ) throws(ChatTemplateError) -> TemplateText {
    let outer = output
    output = TemplateText(elements: [])
    defer { output = outer }
    try body()
    return output
  }

  /// Runs `body` with variables of its own within `parent`, or within what is around.
  func scoped<Result>(
    within parent: TemplateScope? = nil,
    _ body: () throws(ChatTemplateError) -> Result
  ) throws(ChatTemplateError) -> Result {
    let outer = scope
    scope = TemplateScope(parent: parent ?? outer)
    defer { scope = outer }
    return try body()
  }

  func sequence(
    _ kind: TemplateSequence.Kind, _ elements: [TemplateValue]
  ) throws(ChatTemplateError) -> TemplateValue {
    try allocate(4 * elements.count + 8)
    let sequence = TemplateSequence(kind, elements)
    try check(depth: sequence.depth, weight: sequence.weight)
    return .sequence(sequence)
  }

  func dictionary(
    _ pairs: [(key: TemplateValue, value: TemplateValue)]
  ) throws(ChatTemplateError) -> TemplateValue {
    try allocate(24 * pairs.count + 24)
    for pair in pairs {
      guard pair.key.isKey else { throw error("a \(pair.key.typeName) cannot be a key") }
      try step(pair.key.weight)
    }
    let dictionary = TemplateDictionary(pairs)
    try check(depth: dictionary.depth, weight: dictionary.weight)
    return .dictionary(dictionary)
  }

  private func check(depth: Int, weight: Int) throws(ChatTemplateError) {
    guard depth <= limits.depth else {
      throw error("more than \(limits.depth) values lie within one another")
    }
    // A list that holds another twice weighs it twice, however little memory that takes.
    guard weight <= limits.characters else { throw error("makes a list that is too large") }
  }

  func generator(_ elements: [TemplateValue]) throws(ChatTemplateError) -> TemplateValue {
    try allocate(4 * elements.count + 8)
    generators.append(elements)
    return .generator(generators.count - 1)
  }

  /// What a loop over `value` goes through; a generator has nothing left afterwards.
  func elements(of value: TemplateValue) throws(ChatTemplateError) -> [TemplateValue] {
    switch value {
    case .undefined: return []
    case .sequence(let sequence):
      try step(sequence.elements.count / 16)
      return sequence.elements
    case .dictionary(let dictionary):
      try step(dictionary.keys.count / 16)
      return dictionary.keys
    case .string(let text):
      try allocate(16 * text.count)
      return text.elements.map { .string(TemplateText(elements: [$0])) }
    case .generator(let place):
      let elements = generators[place]
      generators[place] = []
      return elements
    default: throw error("cannot loop over a value of type \(value.typeName)")
    }
  }
}

/// A loop that ran or runs.
struct TemplateLoop {
  let items: [TemplateValue]
  var index = 0
  /// Loops of the same definition around it.
  let depth: Int
  /// What a recursive loop runs again; nil for others.
  let recursion: (definition: LoopDefinition, scope: TemplateScope)?
  /// What `changed` was asked last.
  var changed: [TemplateValue]?
}

struct TemplateCycler {
  let items: [TemplateValue]
  var index = 0
}

struct TemplateJoiner {
  let separator: TemplateText
  var isUsed = false
}
