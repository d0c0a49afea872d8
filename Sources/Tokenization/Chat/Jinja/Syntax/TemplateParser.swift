/// Builds a template's statements from its tokens, as Jinja's grammar has them.
struct TemplateParser {
  /// Most expressions and blocks within one another.
  static let depthLimit = 64

  private let tokens: [TemplateToken]
  private var place = 0
  private var depth = 0
  /// Loops around what is read, within the innermost macro.
  private var loops = 0
  /// What the bodies of the macros around speak of.
  private var extras: [Set<String>] = []

  /// The statements of a template.
  static func statements(of source: String) throws(ChatTemplateError) -> [TemplateStatement] {
    var parser = TemplateParser(tokens: try TemplateLexer.tokens(of: source))
    return try parser.statements(until: [])
  }

  private init(tokens: [TemplateToken]) { self.tokens = tokens }

  // MARK: - Tokens

  var current: TemplateToken { tokens[place] }
  var line: Int { current.line }

  func error(_ reason: String) -> ChatTemplateError {
    ChatTemplateError(line: line, reason: reason)
  }

  mutating func advance() { if place + 1 < tokens.count { place += 1 } }

  func isNext(_ kind: TemplateToken.Kind) -> Bool { current.kind == kind }
  func isNext(mark: String) -> Bool { isNext(.mark(mark)) }
  func isNext(name: String) -> Bool { isNext(.name(name)) }

  func follows(_ kind: TemplateToken.Kind) -> Bool {
    place + 1 < tokens.count && tokens[place + 1].kind == kind
  }

  mutating func take(_ kind: TemplateToken.Kind) -> Bool {
    guard isNext(kind) else { return false }
    advance()
    return true
  }

  mutating func take(mark: String) -> Bool { take(.mark(mark)) }
  mutating func take(name: String) -> Bool { take(.name(name)) }

  mutating func expect(_ kind: TemplateToken.Kind) throws(ChatTemplateError) {
    guard take(kind) else {
      let wanted = TemplateToken(kind: kind, line: line).description
      throw error("expected \(wanted), found \(current.description)")
    }
  }

  mutating func expect(mark: String) throws(ChatTemplateError) { try expect(.mark(mark)) }

  mutating func name() throws(ChatTemplateError) -> String {
    guard case .name(let name) = current.kind else {
      throw error("expected a name, found \(current.description)")
    }
    advance()
    return name
  }

  /// Notes that the macro around speaks of `name`.
  mutating func note(_ name: String) {
    if !extras.isEmpty { extras[extras.count - 1].insert(name) }
  }

  mutating func nested<Result>(
    _ read: (inout TemplateParser) throws(ChatTemplateError) -> Result
  ) throws(ChatTemplateError) -> Result {
    guard depth < Self.depthLimit else {
      throw error("more than \(Self.depthLimit) levels lie within one another")
    }
    depth += 1
    defer { depth -= 1 }
    return try read(&self)
  }

  // MARK: - Statements

  /// Statements up to a tag of one of the given names, which stays; up to the end if there are none.
  private mutating func statements(
    until ends: [String]
  ) throws(ChatTemplateError) -> [TemplateStatement] {
    var statements: [TemplateStatement] = []
    while true {
      switch current.kind {
      case .data(let text):
        statements.append(.text(text))
        advance()
      case .printBegin:
        advance()
        let line = line
        statements.append(.print(try tuple(), line: line))
        try expect(.printEnd)
      case .tagBegin:
        advance()
        if case .name(let name) = current.kind, ends.contains(name) { return statements }
        statements.append(
          try nested { parser throws(ChatTemplateError) in try parser.statement() })
        try expect(.tagEnd)
      default:
        guard ends.isEmpty else { throw error("\(ends[ends.count - 1]) is missing") }
        return statements
      }
    }
  }

  /// The body of a block and the name of the tag that ends it, which is read.
  private mutating func body(
    until ends: String...
  ) throws(ChatTemplateError) -> (statements: [TemplateStatement], end: String) {
    _ = take(mark: ":")
    try expect(.tagEnd)
    let statements = try statements(until: ends)
    return (statements, try name())
  }

  private mutating func statement() throws(ChatTemplateError) -> TemplateStatement {
    let line = line
    let tag = try name()
    switch tag {
    case "if": return try condition()
    case "for": return try loop(line)
    case "set": return try assignment(line)
    case "macro":
      let name = try name()
      return .macro(try macro(name, end: "endmacro"), line: line)
    case "call": return try callBlock(line)
    case "filter":
      let filters = try filters(startsInline: true)
      return .filterBlock(filters, body: try body(until: "endfilter").statements)
    case "with": return try with()
    case "generation": return .scope(try body(until: "endgeneration").statements)
    case "break", "continue":
      guard loops > 0 else { throw error("\(tag) stands outside of a loop") }
      return tag == "break" ? .breakLoop : .continueLoop
    case "print":
      var values: [TemplateExpression] = []
      while !isNext(.tagEnd) {
        if !values.isEmpty { try expect(mark: ",") }
        values.append(try expression())
      }
      return .printAll(values, line: line)
    case "include", "import", "from", "extends", "block", "autoescape":
      throw error("the tag \(tag) is not known to this version")
    default: throw error("there is no tag \(tag)")
    }
  }

  private mutating func condition() throws(ChatTemplateError) -> TemplateStatement {
    var branches: [(test: TemplateExpression, body: [TemplateStatement])] = []
    while true {
      let test = try tuple(hasConditions: false)
      let (statements, end) = try body(until: "elif", "else", "endif")
      branches.append((test, statements))
      switch end {
      case "elif": continue
      case "else":
        return .condition(branches, otherwise: try body(until: "endif").statements)
      default: return .condition(branches, otherwise: [])
      }
    }
  }

  private mutating func loop(_ line: Int) throws(ChatTemplateError) -> TemplateStatement {
    let target = try target(endsAt: "in")
    try expect(.name("in"))
    let values = try tuple(hasConditions: false, endsAt: "recursive")
    let condition = take(name: "if") ? try expression() : nil
    let isRecursive = take(name: "recursive")
    loops += 1
    let (statements, end) = try body(until: "else", "endfor")
    loops -= 1
    let otherwise = end == "else" ? try body(until: "endfor").statements : []
    return .loop(
      LoopDefinition(
        target: target, values: values, condition: condition, isRecursive: isRecursive,
        body: statements, otherwise: otherwise, line: line))
  }

  private mutating func assignment(_ line: Int) throws(ChatTemplateError) -> TemplateStatement {
    let target = try target(hasAttributes: true)
    if take(mark: "=") { return .assignment(target, try tuple(), line: line) }
    let filters = try filters(startsInline: false)
    return .capture(target, filters, body: try body(until: "endset").statements, line: line)
  }

  private mutating func callBlock(_ line: Int) throws(ChatTemplateError) -> TemplateStatement {
    let parameters = isNext(mark: "(") ? try parameters() : []
    guard case .chained(let function, var suffixes) = try expression(),
      case .call(let arguments)? = suffixes.popLast()?.kind
    else { throw error("expected a call") }
    let caller = try macro("caller", end: "endcall", parameters: parameters)
    let callee = suffixes.isEmpty ? function : .chained(function, suffixes)
    return .callBlock(callee, arguments: arguments, caller, line: line)
  }

  private mutating func with() throws(ChatTemplateError) -> TemplateStatement {
    var assignments: [(target: TemplateTarget, value: TemplateExpression)] = []
    while !isNext(.tagEnd) {
      if !assignments.isEmpty { try expect(mark: ",") }
      let target = try target()
      try expect(mark: "=")
      assignments.append((target, try expression()))
    }
    return .with(assignments, body: try body(until: "endwith").statements)
  }

  // MARK: - Macros and targets

  private mutating func macro(
    _ name: String, end: String, parameters given: [MacroDefinition.Parameter]? = nil
  ) throws(ChatTemplateError) -> MacroDefinition {
    extras.append([])
    let outerLoops = loops
    loops = 0
    let parameters = if let given { given } else { try parameters() }
    let statements = try body(until: end).statements
    loops = outerLoops
    let extras = extras.removeLast()
    return MacroDefinition(name: name, parameters: parameters, body: statements, extras: extras)
  }

  private mutating func parameters() throws(ChatTemplateError) -> [MacroDefinition.Parameter] {
    var parameters: [MacroDefinition.Parameter] = []
    try expect(mark: "(")
    while !isNext(mark: ")") {
      if !parameters.isEmpty { try expect(mark: ",") }
      let name = try name()
      let standard = take(mark: "=") ? try expression() : nil
      guard standard != nil || parameters.last?.standard == nil else {
        throw error("a parameter without a default follows one with a default")
      }
      parameters.append(MacroDefinition.Parameter(name: name, standard: standard))
    }
    try expect(mark: ")")
    return parameters
  }

  /// What is assigned to: names, perhaps several between commas.
  private mutating func target(
    hasAttributes: Bool = false, endsAt end: String? = nil
  ) throws(ChatTemplateError) -> TemplateTarget {
    var targets: [TemplateTarget] = []
    var isTuple = false
    while true {
      if isNext(.tagEnd) || isNext(mark: ")") || end.map({ isNext(name: $0) }) ?? false { break }
      targets.append(try singleTarget(hasAttributes: hasAttributes))
      guard take(mark: ",") else { break }
      isTuple = true
    }
    guard let first = targets.first else { throw error("expected a name to assign to") }
    return isTuple ? .tuple(targets) : first
  }

  private mutating func singleTarget(
    hasAttributes: Bool
  ) throws(ChatTemplateError) -> TemplateTarget {
    if take(mark: "(") {
      let inner = try nested { parser throws(ChatTemplateError) in
        try parser.target(hasAttributes: hasAttributes)
      }
      try expect(mark: ")")
      return inner
    }
    let name = try name()
    let constants: Set = ["true", "false", "none", "True", "False", "None"]
    guard !constants.contains(name) else { throw error("cannot assign to \(name)") }
    if hasAttributes, take(mark: ".") { return .attribute(of: name, name: try self.name()) }
    return .name(name)
  }
}
