/// The methods that Python's types have, by name.
enum TemplateMethods {
  private static let string: Set<String> = [
    "capitalize", "casefold", "center", "count", "encode", "endswith", "expandtabs", "find",
    "format", "format_map", "index", "isalnum", "isalpha", "isascii", "isdecimal", "isdigit",
    "isidentifier", "islower", "isnumeric", "isprintable", "isspace", "istitle", "isupper", "join",
    "ljust", "lower", "lstrip", "maketrans", "partition", "removeprefix", "removesuffix", "replace",
    "rfind", "rindex", "rjust", "rpartition", "rsplit", "rstrip", "split", "splitlines",
    "startswith", "strip", "swapcase", "title", "translate", "upper", "zfill",
  ]

  /// What a value can be asked.
  static func names(of value: TemplateValue) -> Set<String> {
    switch value {
    case .string: string
    case .dictionary: ["copy", "fromkeys", "get", "items", "keys", "values"]
    case .sequence(let sequence):
      switch sequence.kind {
      case .list: ["copy", "count", "index"]
      case .tuple, .group, .range: ["count", "index"]
      case .keys, .values, .items: []
      }
    case .function(.cycler): ["next", "reset"]
    case .function(.global(.dict)): ["fromkeys"]
    default: []
    }
  }

  /// What would change a value in place, which Jinja's immutable sandbox forbids.
  static func changing(_ value: TemplateValue) -> Set<String> {
    switch value {
    case .dictionary: ["clear", "pop", "popitem", "setdefault", "update"]
    case .sequence(let sequence) where sequence.kind == .list:
      ["append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort"]
    default: []
    }
  }
}

extension TemplateInterpreter {
  func callMethod(
    _ name: String, of value: TemplateValue, _ arguments: CallArguments
  ) throws(ChatTemplateError) -> TemplateValue {
    switch value {
    case .string(let text): return try callMethod(name, of: text, arguments)
    case .dictionary(let dictionary): return try callMethod(name, of: dictionary, arguments)
    case .sequence(let sequence):
      if name == "copy" { return value }
      guard arguments.positional.count == 1, arguments.named.isEmpty else {
        throw error("\(name) takes one value")
      }
      let wanted = arguments.positional[0]
      try step(sequence.weight / 8)
      if name == "count" { return .integer(sequence.elements.count { $0 == wanted }) }
      guard let place = sequence.elements.firstIndex(of: wanted) else {
        throw error("index finds no such element")
      }
      return .integer(place)
    case .loop(let place):
      if name == "cycle" {
        guard !arguments.positional.isEmpty else { throw error("cycle needs items") }
        return arguments.positional[loops[place].index % arguments.positional.count]
      }
      try step(arguments.positional.reduce(0) { $0 + $1.weight } / 8)
      let isChanged = loops[place].changed != arguments.positional
      loops[place].changed = arguments.positional
      return .boolean(isChanged)
    case .function(.cycler(let place)):
      if name == "reset" {
        cyclers[place].index = 0
        return .none
      }
      let cycler = cyclers[place]
      cyclers[place].index = (cycler.index + 1) % cycler.items.count
      return cycler.items[cycler.index]
    default: return try dictionary(fromKeys: arguments)
    }
  }

  private func callMethod(
    _ name: String, of dictionary: TemplateDictionary, _ arguments: CallArguments
  ) throws(ChatTemplateError) -> TemplateValue {
    switch name {
    case "fromkeys": return try self.dictionary(fromKeys: arguments)
    case "get":
      guard (1...2).contains(arguments.positional.count), arguments.named.isEmpty else {
        throw error("get takes a key and what stands for it where there is none")
      }
      let key = arguments.positional[0]
      guard key.isKey else { throw error("a \(key.typeName) cannot be a key") }
      try step(key.weight)
      return dictionary[key] ?? (arguments.positional.count == 2 ? arguments.positional[1] : .none)
    default: break
    }
    _ = try bind(arguments, to: [], of: name)
    switch name {
    case "keys": return try sequence(.keys, dictionary.keys)
    case "values": return try sequence(.values, dictionary.values)
    case "copy": return .dictionary(dictionary)
    default:
      try allocate(16 * dictionary.keys.count)
      return try sequence(.items, dictionary.items)
    }
  }

  private func dictionary(
    fromKeys arguments: CallArguments
  ) throws(ChatTemplateError) -> TemplateValue {
    let values = try bind(arguments, to: ["iterable", "value"], of: "fromkeys", required: 1)
    let keys = try elements(of: values[0] ?? .none)
    return try dictionary(keys.map { ($0, values[1] ?? .none) })
  }
}
