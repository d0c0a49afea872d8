import Tensors

/// Which rules apply to which layers, found once for a list of rules.
struct RuleMatches {
  private var layersOfRule: [[Int]]
  private var rulesOfLayer: [[Int]]
  /// What is wrong with a rule's patterns, by the rule's index.
  private(set) var errors: [Int: PlanError] = [:]

  init(rules: [PlanRule], layers: [LayerShape]) {
    layersOfRule = Array(repeating: [], count: rules.count)
    rulesOfLayer = Array(repeating: [], count: layers.count)
    // Rules made by hand on the screen name layers exactly, hundreds of them: no need to compare.
    var indices: [String: [Int]] = [:]
    for (index, layer) in layers.enumerated() {
      for name in Set([layer.name] + layer.aliases) { indices[name, default: []].append(index) }
    }
    var work = 0
    for (number, rule) in rules.enumerated() {
      do throws(PlanError) {
        let matched = try Self.matches(of: rule, among: layers, indices: indices, work: &work)
        layersOfRule[number] = matched.sorted()
        for layer in matched { rulesOfLayer[layer].append(number) }
      } catch {
        errors[number] = error
      }
    }
  }

  private static func matches(
    of rule: PlanRule, among layers: [LayerShape], indices: [String: [Int]], work: inout Int
  ) throws(PlanError) -> Set<Int> {
    var matched: Set<Int> = []
    for text in rule.layers {
      let pattern = try LayerPattern(text)
      if pattern.isExact {
        matched.formUnion(indices[text] ?? [])
      } else {
        for index in layers.indices where !matched.contains(index) {
          if pattern.matches(layers[index], work: &work) { matched.insert(index) }
          guard work <= LayerPattern.workLimit else {
            throw PlanError(
              reason: "the patterns up to \(text) take too long on \(layers.count) layers")
          }
        }
      }
    }
    return matched
  }

  /// Indices of the layers that a rule matches, ascending.
  func layers(of rule: Int) -> [Int] { layersOfRule[rule] }

  /// Indices of the rules that match a layer, in the plan's order.
  func rules(of layer: Int) -> [Int] { rulesOfLayer[layer] }
}

extension PlanRule {
  /// What the rule says after `layers:`, short enough for one line.
  var label: String {
    let shown = layers.prefix(3).joined(separator: ", ")
    return layers.count > 3 ? "\(shown) and \(layers.count - 3) more" : shown
  }
}

extension Plan {
  /// The scheme of every layer, by name.
  ///
  /// Rules apply in order, and what a later one says wins, setting by setting: a rule with only a
  /// width keeps the group that an earlier rule chose.
  ///
  /// - Throws: ``PlanError`` when a pattern is malformed, or when a scheme does not fit its layer.
  public func schemes(for layers: [LayerShape]) throws(PlanError) -> [String: Scheme] {
    let matches = RuleMatches(rules: rules, layers: layers)
    if let (rule, error) = matches.errors.min(by: { $0.key < $1.key }) {
      throw PlanError(line: error.line, rule: rules[rule].label, reason: error.reason)
    }
    var schemes: [String: Scheme] = [:]
    for (index, layer) in layers.enumerated() {
      var change = SchemeChange()
      for rule in matches.rules(of: index) { change = change.followed(by: rules[rule].change) }
      let scheme = change.scheme
      do {
        try scheme.validated(for: layer)
      } catch {
        let last = matches.rules(of: index).last
        throw PlanError(
          rule: last.map { rules[$0].label }, layer: layer.name, reason: error.reason)
      }
      schemes[layer.name] = scheme
    }
    return schemes
  }

  /// The rules that match no layer: usually a misspelt name, worth a warning.
  public func unmatchedRules(in layers: [LayerShape]) -> [PlanRule] {
    let matches = RuleMatches(rules: rules, layers: layers)
    return rules.indices.filter { matches.layers(of: $0).isEmpty }.map { rules[$0] }
  }
}
