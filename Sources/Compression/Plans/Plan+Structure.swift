/// The `structure:` section of a plan.
///
/// Layers of the rules are those of the pruned model, whose blocks are counted anew. Which neurons and heads go is part of
/// the plan, so that it means the same model wherever it is opened, without the text that they were chosen on.
extension ModelStructure {
  /// More neurons or heads than any block has; indices in files stay below.
  private static let indexLimit = 1 << 20

  init(reading value: PlanValue) throws(PlanError) {
    let keys = try PlanKeys(
      value.node, of: "`structure`", known: ["blocks", "neurons", "kv_heads", "experts", "removed"])
    var blocks: [Int] = []
    for entry in try keys["blocks"]?.entries() ?? [] {
      let block = try entry.integer()
      guard block >= 0, !blocks.contains(block) else {
        throw entry.error("`blocks` are the different blocks to remove, counted from 0")
      }
      blocks.append(block)
    }
    self.init(removedBlocks: blocks)
    if let value = keys["neurons"] {
      let count = try value.integer()
      guard count > 0, count % Self.neuronMultiple == 0 else {
        throw value.error("an MLP keeps a multiple of \(Self.neuronMultiple) neurons, not \(count)")
      }
      neurons = count
    }
    if let value = keys["kv_heads"] {
      let count = try value.integer()
      guard count > 0 else { throw value.error("a block keeps at least 1 key and value head") }
      keyValueHeads = count
    }
    if let value = keys["experts"] {
      let count = try value.integer()
      guard count > 0 else { throw value.error("a mixture keeps at least 1 expert") }
      experts = count
    }
    for entry in try keys["removed"]?.entries() ?? [] {
      let (block, cut) = try Self.cut(reading: entry)
      guard cuts.updateValue(cut, forKey: block) == nil else {
        throw entry.error("block \(block) is named twice")
      }
    }
  }

  private static func cut(reading value: PlanValue) throws(PlanError) -> (Int, Cut) {
    let keys = try PlanKeys(
      value.node, of: "an entry of `removed`", known: ["block", "neurons", "kv_heads", "experts"])
    guard let block = try keys["block"]?.integer(), block >= 0 else {
      throw value.error("an entry of `removed` names its `block`")
    }
    func indices(_ name: String) throws(PlanError) -> [Int] {
      guard let value = keys[name] else { return [] }
      guard let indices = IndexRanges.indices(try value.string(), below: indexLimit) else {
        throw value.error("`\(name)` are ascending numbers and ranges such as \"3 17 20-22\"")
      }
      return indices
    }
    return (
      block,
      Cut(
        neurons: try indices("neurons"), keyValueHeads: try indices("kv_heads"),
        experts: try indices("experts"))
    )
  }

  /// The section as lines of YAML.
  public var yamlLines: [String] {
    var lines = ["structure:"]
    if !removedBlocks.isEmpty {
      let blocks = removedBlocks.map(String.init).joined(separator: ", ")
      lines.append("  blocks: [\(blocks)]")
    }
    if let neurons { lines.append("  neurons: \(neurons)") }
    if let keyValueHeads { lines.append("  kv_heads: \(keyValueHeads)") }
    if let experts { lines.append("  experts: \(experts)") }
    if !cuts.isEmpty { lines.append("  removed:") }
    for (block, cut) in cuts.sorted(by: { $0.key < $1.key }) {
      var parts = ["block: \(block)"]
      if !cut.neurons.isEmpty { parts.append("neurons: \"\(IndexRanges.text(cut.neurons))\"") }
      if !cut.keyValueHeads.isEmpty {
        parts.append("kv_heads: \"\(IndexRanges.text(cut.keyValueHeads))\"")
      }
      if !cut.experts.isEmpty { parts.append("experts: \"\(IndexRanges.text(cut.experts))\"") }
      lines.append("    - { \(parts.joined(separator: ", ")) }")
    }
    return lines.count == 1 ? ["structure: {}"] : lines
  }
}
