import Checkpoints
import Compression

extension Plan {
  /// This plan with a change for some layers of a model, in a rule that people can read.
  ///
  /// All layers become `*`, all of one role `*.down_proj`, all of one block
  /// `model.layers.12.*`; what remains is named one by one.
  func applying(_ change: SchemeChange, toLayers layers: [Int], of model: OpenModel) -> Plan {
    let names = layers.map { model.layers[$0].name }
    guard layers.count > 1, let patterns = Self.patterns(for: Set(layers), of: model) else {
      return applying(change, to: names).simplified(for: model.shapes)
    }
    var plan = self
    if let last = rules.last, last.layers == patterns {
      plan.rules[rules.count - 1].change = last.change.followed(by: change)
    } else {
      plan.rules.append(PlanRule(layers: patterns, change: change))
    }
    return plan.simplified(for: model.shapes)
  }

  /// Patterns that match exactly these layers; nil where none would be shorter than their names.
  private static func patterns(for layers: Set<Int>, of model: OpenModel) -> [String]? {
    guard layers.count < model.layers.count else { return ["*"] }
    var patterns: [String] = []
    var rest = layers
    func take(_ group: [Int], as pattern: String) {
      guard group.count > 1, rest.isSuperset(of: group) else { return }
      patterns.append(pattern)
      rest.subtract(group)
    }
    for group in model.layersOfRole {
      // The role's word, unless the checkpoint calls the layers otherwise.
      guard let first = group.first.map({ model.layers[$0] }) else { continue }
      let (name, role) = (first.name, first.role.rawValue)
      let last = name.split(separator: ".").last.map(String.init) ?? name
      take(group, as: "*.\(name.hasSuffix(".\(role)") ? role : last)")
    }
    for block in model.layersOfBlock.keys.sorted() {
      guard let group = model.layersOfBlock[block], let first = group.first else { continue }
      // `model.layers.12.` out of `model.layers.12.mlp.down_proj`.
      let parts = model.layers[first].name.split(separator: ".")
      guard let place = parts.firstIndex(of: Substring(String(block))) else { continue }
      take(group, as: parts[...place].joined(separator: ".") + ".*")
    }
    guard !patterns.isEmpty else { return nil }
    patterns += rest.sorted().map { LayerPattern.exact(model.layers[$0].name) }
    return matches(of: patterns, in: model) == layers ? patterns : nil
  }

  private static func matches(of patterns: [String], in model: OpenModel) -> Set<Int> {
    var matches: Set<Int> = []
    for pattern in patterns.compactMap({ try? LayerPattern($0) }) {
      matches.formUnion(model.shapes.indices.filter { pattern.matches(model.shapes[$0]) })
    }
    return matches
  }
}
