/// The arguments of a call, evaluated.
struct CallArguments {
  var positional: [TemplateValue] = []
  var named: [(name: String, value: TemplateValue)] = []
}

extension TemplateInterpreter {
  /// The arguments in the order of a function's parameters; nil for each that is not given.
  ///
  /// - Throws: ``ChatTemplateError`` for one argument too many, and for names that there are not.
  func bind(
    _ arguments: CallArguments, to parameters: [String], of function: String, required: Int = 0
  ) throws(ChatTemplateError) -> [TemplateValue?] {
    guard arguments.positional.count <= parameters.count else {
      throw error("\(function) takes no more than \(parameters.count) arguments")
    }
    var values: [TemplateValue?] = arguments.positional
    values += Array(repeating: nil, count: parameters.count - values.count)
    for (name, value) in arguments.named {
      guard let place = parameters.firstIndex(of: name) else {
        throw error("\(function) has no argument \(name)")
      }
      guard values[place] == nil else { throw error("\(function) is given \(name) twice") }
      values[place] = value
    }
    for (name, value) in zip(parameters, values).prefix(required) where value == nil {
      throw error("\(function) needs the argument \(name)")
    }
    return values
  }

  /// A whole number; `standard` if it is not given or none.
  func integer(
    _ value: TemplateValue?, _ standard: Int, _ function: String
  ) throws(ChatTemplateError) -> Int {
    guard let value, !value.isNone else { return standard }
    try require(value)
    guard let integer = value.integer else {
      throw error("\(function) takes a whole number, not a \(value.typeName)")
    }
    return integer
  }

  /// A string; nil if it is not given or none.
  func text(
    _ value: TemplateValue?, _ function: String
  ) throws(ChatTemplateError) -> TemplateText? {
    guard let value, !value.isNone else { return nil }
    try require(value)
    guard let text = value.text else {
      throw error("\(function) takes a string, not a \(value.typeName)")
    }
    return text
  }
}
