/// What an expression of a template stands for: Python's values, as far as templates can make them.
///
/// Nothing but a namespace can change, and namespaces, loops and generators lie with the interpreter under a number:
/// values form no cycles, and what a template made goes with its rendering.
enum TemplateValue {
  case undefined(UndefinedValue)
  case none
  case boolean(Bool)
  case integer(Int)
  case number(Double)
  case string(TemplateText)
  /// A list, tuple, range or view of a dictionary.
  case sequence(TemplateSequence)
  case dictionary(TemplateDictionary)
  /// What a filter yields piece by piece; read once.
  case generator(Int)
  case namespace(Int)
  case loop(Int)
  case macro(TemplateMacro)
  case function(TemplateFunction)

  static func text(_ text: String) -> TemplateValue { .string(TemplateText(text)) }

  static func list(_ elements: [TemplateValue]) -> TemplateValue {
    .sequence(TemplateSequence(.list, elements))
  }

  static func tuple(_ elements: [TemplateValue]) -> TemplateValue {
    .sequence(TemplateSequence(.tuple, elements))
  }

  static func undefined(_ reason: String) -> TemplateValue { .undefined(UndefinedValue(reason)) }

  var isUndefined: Bool { if case .undefined = self { true } else { false } }
  var isNone: Bool { if case .none = self { true } else { false } }

  var text: TemplateText? { if case .string(let text) = self { text } else { nil } }

  /// A whole number, which Python counts booleans among.
  var integer: Int? {
    switch self {
    case .integer(let value): value
    case .boolean(let value): value ? 1 : 0
    default: nil
    }
  }

  /// Any number.
  var number: Double? {
    if case .number(let value) = self { value } else { integer.map(Double.init) }
  }

  /// Lists within lists: 0 for what holds no values.
  var depth: Int {
    switch self {
    case .sequence(let sequence): sequence.depth
    case .dictionary(let dictionary): dictionary.depth
    case .function(.method(let value, _)): value.depth
    default: 0
    }
  }

  /// About how long comparing or hashing it takes, in some sixteen characters: what it holds included.
  var weight: Int {
    switch self {
    case .string(let text): 1 + text.count / 16
    case .sequence(let sequence): sequence.weight
    case .dictionary(let dictionary): dictionary.weight
    case .function(.method(let value, _)): 1 + value.weight
    default: 1
    }
  }

  /// What Python calls the type.
  var typeName: String {
    switch self {
    case .undefined: "Undefined"
    case .none: "NoneType"
    case .boolean: "bool"
    case .integer: "int"
    case .number: "float"
    case .string: "str"
    case .sequence(let sequence): sequence.kind.isTuple ? "tuple" : sequence.kind.rawValue
    case .dictionary: "dict"
    case .generator: "generator"
    case .namespace: "Namespace"
    case .loop: "LoopContext"
    case .macro: "Macro"
    case .function: "function"
    }
  }
}

/// Why a value is undefined: what an error says when it is used after all.
final class UndefinedValue {
  let reason: String
  init(_ reason: String) { self.reason = reason }
}

/// Values in order.
final class TemplateSequence {
  enum Kind: String {
    case list, tuple, range
    case keys = "dict_keys"
    case values = "dict_values"
    case items = "dict_items"
    /// A pair that the filter `groupby` makes: a tuple whose parts have names.
    case group = "tuple of a group"

    var isTuple: Bool { self == .tuple || self == .group }
    /// Whether elements have numbers.
    var isIndexed: Bool { self == .list || isTuple || self == .range }
  }

  let kind: Kind
  let elements: [TemplateValue]
  let depth: Int
  let weight: Int
  /// How a range is written, by its bounds.
  let spelling: String?

  init(_ kind: Kind, _ elements: [TemplateValue], spelling: String? = nil) {
    self.kind = kind
    self.spelling = spelling
    self.elements = elements
    depth = 1 + (elements.lazy.map(\.depth).max() ?? 0)
    weight = elements.reduce(1) { $0 + $1.weight }
  }
}

/// Keys and their values in the order in which they came.
final class TemplateDictionary {
  let keys: [TemplateValue]
  let values: [TemplateValue]
  let depth: Int
  let weight: Int
  private let places: [TemplateValue: Int]

  /// A later pair takes an earlier one's place if their keys are equal.
  init(_ pairs: [(key: TemplateValue, value: TemplateValue)]) {
    var keys: [TemplateValue] = []
    var values: [TemplateValue] = []
    var places: [TemplateValue: Int] = [:]
    for pair in pairs {
      if let place = places[pair.key] {
        values[place] = pair.value
      } else {
        places[pair.key] = keys.count
        keys.append(pair.key)
        values.append(pair.value)
      }
    }
    self.keys = keys
    self.values = values
    self.places = places
    depth = 1 + ((keys + values).lazy.map(\.depth).max() ?? 0)
    // Finding a key takes longer than going on to the next element of a list.
    weight = (keys + values).reduce(1 + 8 * keys.count) { $0 + $1.weight }
  }

  subscript(key: TemplateValue) -> TemplateValue? { places[key].map { values[$0] } }

  var pairs: [(key: TemplateValue, value: TemplateValue)] {
    zip(keys, values).map { (key: $0, value: $1) }
  }

  var items: [TemplateValue] { zip(keys, values).map { .tuple([$0, $1]) } }
}

/// A macro, or the body of a call block, and the variables around it.
struct TemplateMacro {
  let name: String
  let definition: MacroDefinition
  let scope: TemplateScope
}

/// What can be called and is no macro.
indirect enum TemplateFunction: Hashable {
  case global(Global)
  case method(TemplateValue, name: String)
  case cycler(Int)
  case joiner(Int)

  enum Global: String, Hashable {
    case range, namespace, dict, cycler, joiner
    case raiseException = "raise_exception"
    case currentTime = "strftime_now"
  }
}

/// What `namespace()` makes: attributes that a template may set.
struct TemplateNamespace {
  private(set) var names: [String] = []
  private var values: [String: TemplateValue] = [:]

  subscript(name: String) -> TemplateValue? { values[name] }

  mutating func set(_ name: String, _ value: TemplateValue) {
    if values.updateValue(value, forKey: name) == nil { names.append(name) }
  }
}

/// Variables of a part of a template, and the part around it.
final class TemplateScope {
  var variables: [String: TemplateValue] = [:]
  let parent: TemplateScope?

  init(parent: TemplateScope?) { self.parent = parent }

  /// The variable's value here or further out; nil if there is none.
  subscript(name: String) -> TemplateValue? {
    var scope: TemplateScope? = self
    while let current = scope {
      if let value = current.variables[name] { return value }
      scope = current.parent
    }
    return nil
  }
}
