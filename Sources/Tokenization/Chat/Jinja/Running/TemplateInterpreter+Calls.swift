// MARK: - Calls of macros, loops and functions

extension TemplateInterpreter {
  func call(
    _ function: TemplateValue, _ arguments: CallArguments
  ) throws(ChatTemplateError) -> TemplateValue {
    try require(function)
    switch function {
    case .macro(let macro): return try call(macro, arguments)
    case .loop(let place):
      guard arguments.positional.count == 1, arguments.named.isEmpty else {
        throw error("a loop is called with one list")
      }
      return try recursion(of: place, over: arguments.positional[0])
    case .function(.global(let global)): return try call(global, arguments)
    case .function(.method(let value, let name)):
      return try callMethod(name, of: value, arguments)
    case .function(.cycler):
      throw error("a cycler is not called itself; it has next and reset")
    case .function(.joiner(let place)):
      defer { joiners[place].isUsed = true }
      return .string(joiners[place].isUsed ? joiners[place].separator : "")
    default: throw error("a \(function.typeName) cannot be called")
    }
  }

  private func call(
    _ macro: TemplateMacro, _ arguments: CallArguments
  ) throws(ChatTemplateError) -> TemplateValue {
    let definition = macro.definition
    guard calls < limits.depth else {
      throw error("more than \(limits.depth) macros call one another")
    }
    calls += 1
    defer { calls -= 1 }
    let (variables, missing) = try bind(arguments, to: definition)
    return .string(
      try captured { () throws(ChatTemplateError) in
        try scoped(within: macro.scope) { () throws(ChatTemplateError) in
          scope.variables = variables
          // A default may use parameters before it.
          for parameter in missing {
            scope.variables[parameter.name] =
              if let standard = parameter.standard {
                try evaluate(standard)
              } else {
                .undefined("the parameter \(parameter.name) of \(macro.name) was not provided")
              }
          }
          _ = try run(definition.body)
        }
      })
  }

  /// A macro's variables, and the parameters that no argument was given for.
  private func bind(
    _ arguments: CallArguments, to definition: MacroDefinition
  ) throws(ChatTemplateError) -> ([String: TemplateValue], [MacroDefinition.Parameter]) {
    let parameters = definition.parameters
    try step(parameters.count + arguments.positional.count / 16 + arguments.named.count)
    var variables: [String: TemplateValue] = [:]
    for (parameter, value) in zip(parameters, arguments.positional) {
      variables[parameter.name] = value
    }
    var rest: [(key: TemplateValue, value: TemplateValue)] = []
    for (name, value) in arguments.named {
      if definition.names.contains(name) {
        guard variables[name] == nil else {
          throw error("\(definition.name) is given \(name) twice")
        }
        variables[name] = value
      } else if name == "caller", definition.extras.contains("caller") {
        variables[name] = value
      } else {
        rest.append((.text(name), value))
      }
    }
    if definition.extras.contains("kwargs") {
      variables["kwargs"] = try dictionary(rest)
    } else if let name = rest.first?.key.text?.string {
      throw error("\(definition.name) has no argument \(name)")
    }
    if definition.extras.contains("varargs") {
      variables["varargs"] = try sequence(
        .tuple, Array(arguments.positional.dropFirst(parameters.count)))
    } else if arguments.positional.count > parameters.count {
      throw error("\(definition.name) takes no more than \(parameters.count) arguments")
    }
    if definition.extras.contains("caller"), variables["caller"] == nil {
      variables["caller"] = .undefined("no caller is defined")
    }
    return (variables, parameters.filter { variables[$0.name] == nil })
  }

  private func call(
    _ function: TemplateFunction.Global, _ arguments: CallArguments
  ) throws(ChatTemplateError) -> TemplateValue {
    switch function {
    case .range: return try range(arguments)
    case .dict: return try dictionary(try pairs(arguments, "dict"))
    case .namespace:
      let pairs = try pairs(arguments, "namespace")
      try allocate(64)
      namespaces.append(TemplateNamespace())
      let place = namespaces.count - 1
      for (key, value) in pairs {
        guard let name = key.text?.string else {
          throw error("a namespace's attributes have names")
        }
        try set(name, to: value, inNamespace: place)
      }
      return .namespace(place)
    case .cycler:
      guard !arguments.positional.isEmpty else { throw error("cycler needs items") }
      try allocate(32 + 4 * arguments.positional.count)
      cyclers.append(TemplateCycler(items: arguments.positional))
      return .function(.cycler(cyclers.count - 1))
    case .joiner:
      let separator = try bind(arguments, to: ["sep"], of: "joiner")[0]
      try allocate(32)
      joiners.append(TemplateJoiner(separator: try text(separator, "joiner") ?? ", "))
      return .function(.joiner(joiners.count - 1))
    case .raiseException:
      let message = try bind(arguments, to: ["message"], of: function.rawValue, required: 1)[0]
      throw error(try written(message ?? .none).string)
    case .currentTime:
      let format = try bind(arguments, to: ["format"], of: function.rawValue, required: 1)[0]
      let pattern = try text(format, function.rawValue) ?? ""
      try allocate(product(pattern.count, 24))
      return .string(date.formatted(pattern))
    }
  }

  private func pairs(
    _ arguments: CallArguments, _ function: String
  ) throws(ChatTemplateError) -> [(key: TemplateValue, value: TemplateValue)] {
    guard arguments.positional.count <= 1 else {
      throw error("\(function) takes one list or dictionary")
    }
    var pairs: [(key: TemplateValue, value: TemplateValue)] = []
    switch arguments.positional.first {
    case nil: break
    case .dictionary(let dictionary)?: pairs = dictionary.pairs
    case let value?:
      for element in try elements(of: value) {
        let pair = try elements(of: element)
        guard pair.count == 2 else { throw error("\(function) takes pairs of keys and values") }
        pairs.append((pair[0], pair[1]))
      }
    }
    return pairs + arguments.named.map { (key: .text($0.name), value: $0.value) }
  }

  /// Most numbers of a range, as in Jinja's sandbox.
  private static let longestRange = 100_000

  private func range(_ arguments: CallArguments) throws(ChatTemplateError) -> TemplateValue {
    var bounds: [Int] = []
    for value in arguments.positional { bounds.append(try integer(value, 0, "range")) }
    guard (1...3).contains(bounds.count), arguments.named.isEmpty else {
      throw error("range takes one to three whole numbers")
    }
    let (start, end) = bounds.count == 1 ? (0, bounds[0]) : (bounds[0], bounds[1])
    let stride = bounds.count == 3 ? bounds[2] : 1
    guard stride != 0 else { throw error("a range's step is 0") }
    let isEmpty = stride > 0 ? start >= end : start <= end
    let (distance, overflows) = end.subtractingReportingOverflow(start)
    guard isEmpty || (!overflows && distance / stride < Self.longestRange) else {
      throw error("a range has more than \(Self.longestRange) numbers")
    }
    let numbers = isEmpty ? [] : Array(Swift.stride(from: start, to: end, by: stride))
    let step = stride == 1 ? "" : ", \(stride)"
    try allocate(4 * numbers.count + 8)
    return .sequence(
      TemplateSequence(
        .range, numbers.map { .integer($0) }, spelling: "range(\(start), \(end)\(step))"))
  }
}
