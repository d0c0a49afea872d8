// MARK: - Statements

extension TemplateInterpreter {
  /// What goes on after some statements.
  enum Flow {
    case onward, breakLoop, continueLoop
  }

  func run(_ statements: [TemplateStatement]) throws(ChatTemplateError) -> Flow {
    try enter()
    defer { leave() }
    for statement in statements {
      try step()
      let flow = try run(statement)
      if flow != .onward { return flow }
    }
    return .onward
  }

  private func run(_ statement: TemplateStatement) throws(ChatTemplateError) -> Flow {
    switch statement {
    case .text(let text): try write(text)
    case .print(let expression, let line):
      self.line = line
      try write(try written(try evaluate(expression)))
    case .printAll(let expressions, let line):
      self.line = line
      for expression in expressions { try write(try written(try evaluate(expression))) }
    case .condition(let branches, let otherwise):
      for branch in branches where isTrue(try evaluate(branch.test)) {
        return try run(branch.body)
      }
      return try run(otherwise)
    case .loop(let definition):
      line = definition.line
      try run(definition, over: try evaluate(definition.values), depth: 0)
    case .assignment(let target, let expression, let line):
      self.line = line
      try assign(try evaluate(expression), to: target)
    case .capture(let target, let filters, let body, let line):
      let text = try captured { () throws(ChatTemplateError) in
        try scoped { () throws(ChatTemplateError) in _ = try run(body) }
      }
      self.line = line
      try assign(try apply(filters, to: .string(text)), to: target)
    case .macro(let definition, let line):
      self.line = line
      scope.variables[definition.name] = try macro(definition)
    case .callBlock(let function, let arguments, let caller, let line):
      self.line = line
      let callee = try evaluate(function)
      var arguments = try evaluate(arguments)
      arguments.named.append(("caller", try macro(caller)))
      try write(try written(try call(callee, arguments)))
    case .filterBlock(let filters, let body):
      let text = try captured { () throws(ChatTemplateError) in
        try scoped { () throws(ChatTemplateError) in _ = try run(body) }
      }
      try write(try written(try apply(filters, to: .string(text))))
    case .with(let assignments, let body):
      // Values do not see the names that stand beside them.
      var values: [TemplateValue] = []
      for assignment in assignments { values.append(try evaluate(assignment.value)) }
      return try scoped { () throws(ChatTemplateError) in
        for (assignment, value) in zip(assignments, values) {
          try assign(value, to: assignment.target)
        }
        return try run(body)
      }
    case .scope(let body):
      return try scoped { () throws(ChatTemplateError) in try run(body) }
    case .breakLoop: return .breakLoop
    case .continueLoop: return .continueLoop
    }
    return .onward
  }

  private func macro(_ definition: MacroDefinition) throws(ChatTemplateError) -> TemplateValue {
    try allocate(128)
    macroScopes.append(scope)
    return .macro(TemplateMacro(name: definition.name, definition: definition, scope: scope))
  }

  func assign(
    _ value: TemplateValue, to target: TemplateTarget
  ) throws(ChatTemplateError) {
    switch target {
    case .name(let name): scope.variables[name] = value
    case .attribute(let owner, let name):
      guard case .namespace(let place)? = scope[owner] else {
        throw error("\(owner) is no namespace, whose attributes alone can be set")
      }
      try set(name, to: value, inNamespace: place)
    case .tuple(let targets):
      let values = try elements(of: value)
      guard values.count == targets.count else {
        throw error("\(values.count) values are assigned to \(targets.count) names")
      }
      for (target, value) in zip(targets, values) { try assign(value, to: target) }
    }
  }

  func set(
    _ name: String, to value: TemplateValue, inNamespace place: Int
  ) throws(ChatTemplateError) {
    guard !name.hasPrefix("_") else {
      throw error("a namespace has no attributes that start with an underscore")
    }
    if namespaces[place][name] == nil { try allocate(32) }
    namespaces[place].set(name, value)
  }

  // MARK: - Loops

  /// Runs a loop's body for each of `value`'s elements, or what stands instead if there are none.
  func run(
    _ definition: LoopDefinition, over value: TemplateValue, depth: Int
  ) throws(ChatTemplateError) {
    var items = try elements(of: value)
    if let condition = definition.condition {
      var kept: [TemplateValue] = []
      for item in items {
        try step()
        let isKept = try scoped { () throws(ChatTemplateError) in
          try assign(item, to: definition.target)
          return isTrue(try evaluate(condition))
        }
        if isKept { kept.append(item) }
      }
      try allocate(4 * kept.count)
      items = kept
    }
    if items.isEmpty {
      return try scoped { () throws(ChatTemplateError) in _ = try run(definition.otherwise) }
    }
    try allocate(definition.isRecursive ? 128 : 32)
    let place = loops.count
    loops.append(
      TemplateLoop(
        items: items, depth: depth,
        recursion: definition.isRecursive ? (definition, scope) : nil))
    for (index, item) in items.enumerated() {
      try step()
      loops[place].index = index
      let flow = try scoped { () throws(ChatTemplateError) in
        try assign(item, to: definition.target)
        scope.variables["loop"] = .loop(place)
        return try run(definition.body)
      }
      if flow == .breakLoop { break }
    }
  }

  /// What a recursive loop's body writes for the elements of `value`, one level further in.
  func recursion(
    of place: Int, over value: TemplateValue
  ) throws(ChatTemplateError) -> TemplateValue {
    guard let (definition, scope) = loops[place].recursion else {
      throw error("a loop that calls itself is not marked recursive")
    }
    let depth = loops[place].depth + 1
    guard depth < limits.depth else {
      throw error("a loop calls itself more than \(limits.depth) times")
    }
    let outer = self.scope
    self.scope = scope
    defer { self.scope = outer }
    return .string(
      try captured { () throws(ChatTemplateError) in
        try run(definition, over: value, depth: depth)
      })
  }
}
