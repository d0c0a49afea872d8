import Yams

/// A value in a plan's YAML that knows its line and says what it should have been.
struct PlanValue {
  let node: Node

  var line: Int? { node.mark?.line }

  func error(_ reason: String) -> PlanError { PlanError(line: line, reason: reason) }

  /// The items of a list; an empty value is an empty list.
  func entries() throws(PlanError) -> [PlanValue] {
    if isNull { return [] }
    guard let sequence = node.sequence else { throw error("this is a list") }
    return sequence.map { PlanValue(node: $0) }
  }

  func string() throws(PlanError) -> String {
    guard let scalar = node.scalar, !isNull else { throw error("this is one word or text") }
    return scalar.string
  }

  func integer() throws(PlanError) -> Int {
    guard let text = plainText, let value = Int(text) else { throw error("this is a whole number") }
    return value
  }

  func number() throws(PlanError) -> Double {
    guard let text = plainText, let value = Double(text), value.isFinite else {
      throw error("this is a number")
    }
    return value
  }

  func boolean() throws(PlanError) -> Bool {
    switch plainText {
    case "true": return true
    case "false": return false
    default: throw error("this is true or false")
    }
  }

  /// One of the cases of `type` by its raw value.
  func choice<Choice: RawRepresentable & CaseIterable>(
    _ type: Choice.Type, _ name: String
  ) throws(PlanError) -> Choice where Choice.RawValue == String {
    let text = try string()
    if let choice = Choice(rawValue: text) { return choice }
    let known = Choice.allCases.map(\.rawValue).joined(separator: ", ")
    throw error("this version knows no \(name) \(text); it has: \(known)")
  }

  private var plainText: String? {
    guard let scalar = node.scalar, scalar.style == .plain else { return nil }
    return scalar.string
  }

  private var isNull: Bool { ["", "~", "null"].contains(plainText) }
}

/// A mapping in a plan's YAML whose keys are all known and all different.
struct PlanKeys {
  private var values: [String: PlanValue] = [:]

  /// - Throws: ``PlanError`` for anything but a mapping, and for the first key that is not known.
  init(_ node: Node, of owner: String, known: [String]) throws(PlanError) {
    guard let mapping = node.mapping else {
      throw PlanError(line: node.mark?.line, reason: "\(owner) is a set of `key: value` lines")
    }
    for (key, value) in mapping {
      let name = key.scalar?.string ?? ""
      guard known.contains(name) else {
        throw PlanError(
          line: key.mark?.line,
          reason: "\(owner) has no `\(name)`; it has: \(known.joined(separator: ", "))")
      }
      values[name] = PlanValue(node: value)
    }
  }

  subscript(name: String) -> PlanValue? { values[name] }
}

extension PlanError {
  /// What Yams found wrong, with its line.
  init(_ error: YamlError) {
    switch error {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
      .composer(_, let problem, let mark, _):
      let hint = problem.contains("alphabetic") ? "; a pattern that starts with * needs quotes" : ""
      self.init(line: mark.line, reason: "not YAML: \(problem)\(hint)")
    case .duplicatedKeysInMapping(let duplicates, let context):
      let keys = duplicates.sorted().joined(separator: ", ")
      self.init(line: context.mark.line, reason: "said twice: \(keys)")
    case .reader(let problem, _, _, _):
      self.init(reason: "not YAML: \(problem)")
    default:
      self.init(reason: "not YAML: \(error)")
    }
  }
}
