/// An expression of a template.
///
/// Chains of operators, of attributes and of filters are flat, however long: only what is nested is deep.
indirect enum TemplateExpression: Sendable {
  case none
  case boolean(Bool)
  case integer(Int)
  case number(Double)
  case string(TemplateText)
  case name(String, line: Int)
  case list([TemplateExpression])
  case tuple([TemplateExpression])
  case dictionary([(key: TemplateExpression, value: TemplateExpression)])
  case chained(TemplateExpression, [TemplateSuffix])
  case negative(TemplateExpression)
  case positive(TemplateExpression)
  /// Operators of one precedence, from the left.
  case arithmetic(TemplateExpression, [(operation: TemplateOperator, operand: TemplateExpression)])
  case concatenation([TemplateExpression])
  case comparison(TemplateExpression, [(relation: TemplateRelation, operand: TemplateExpression)])
  case not(TemplateExpression)
  case all([TemplateExpression])
  case any([TemplateExpression])
  case conditional(
    test: TemplateExpression, then: TemplateExpression, otherwise: TemplateExpression?)
}

/// What follows a value: `.name`, `[item]`, `(arguments)`, `|filter` or `is test`.
struct TemplateSuffix: Sendable {
  enum Kind: Sendable {
    case attribute(String)
    case item(TemplateExpression)
    case slice(
      start: TemplateExpression?, end: TemplateExpression?, stride: TemplateExpression?)
    case call(TemplateArguments)
    case filter(String, TemplateArguments)
    case test(String, TemplateArguments, isNegated: Bool)
  }

  let kind: Kind
  let line: Int
}

struct TemplateArguments: Sendable {
  var positional: [TemplateExpression] = []
  var named: [(name: String, value: TemplateExpression)] = []
  /// `*values`.
  var unpacked: TemplateExpression?
  /// `**values`.
  var unpackedNamed: TemplateExpression?
}

enum TemplateOperator: String, Sendable {
  case add = "+"
  case subtract = "-"
  case multiply = "*"
  case divide = "/"
  case divideDown = "//"
  case remainder = "%"
  case power = "**"
}

enum TemplateRelation: String, Sendable {
  case equal = "=="
  case notEqual = "!="
  case less = "<"
  case lessOrEqual = "<="
  case greater = ">"
  case greaterOrEqual = ">="
  case within = "in"
  case notWithin = "not in"
}

/// What may be assigned to.
enum TemplateTarget: Sendable {
  case name(String)
  case attribute(of: String, name: String)
  case tuple([TemplateTarget])
}

/// A part of a template between its texts.
indirect enum TemplateStatement: Sendable {
  case text(TemplateText)
  case print(TemplateExpression, line: Int)
  /// Several values, one after the other.
  case printAll([TemplateExpression], line: Int)
  case condition(
    [(test: TemplateExpression, body: [TemplateStatement])], otherwise: [TemplateStatement])
  case loop(LoopDefinition)
  case assignment(TemplateTarget, TemplateExpression, line: Int)
  /// A body whose output is assigned, after filters.
  case capture(TemplateTarget, [TemplateSuffix], body: [TemplateStatement], line: Int)
  case macro(MacroDefinition, line: Int)
  case callBlock(
    TemplateExpression, arguments: TemplateArguments, MacroDefinition, line: Int)
  case filterBlock([TemplateSuffix], body: [TemplateStatement])
  case with([(target: TemplateTarget, value: TemplateExpression)], body: [TemplateStatement])
  /// A body with variables of its own, such as a `generation` block.
  case scope([TemplateStatement])
  case breakLoop
  case continueLoop
}

struct LoopDefinition: Sendable {
  let target: TemplateTarget
  let values: TemplateExpression
  let condition: TemplateExpression?
  let isRecursive: Bool
  let body: [TemplateStatement]
  /// Runs if there was nothing to loop over.
  let otherwise: [TemplateStatement]
  let line: Int
}

struct MacroDefinition: Sendable {
  struct Parameter: Sendable {
    let name: String
    let standard: TemplateExpression?
  }

  let name: String
  let parameters: [Parameter]
  let body: [TemplateStatement]
  /// Which of `caller`, `varargs` and `kwargs` the body speaks of: others are errors where they are given.
  let extras: Set<String>
  /// Names of the parameters.
  let names: Set<String>

  init(name: String, parameters: [Parameter], body: [TemplateStatement], extras: Set<String>) {
    self.name = name
    self.parameters = parameters
    self.body = body
    self.extras = extras
    names = Set(parameters.map(\.name))
  }
}
