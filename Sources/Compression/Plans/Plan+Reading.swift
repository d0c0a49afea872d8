import Tensors
import YAML
import Yams

extension Plan {
  /// The largest plan that is read, in bytes of UTF-8.
  public static let sizeLimit = 4 << 20

  /// The version of the format, written as `vise: 1`.
  static let formatVersion = 1

  /// Reads a plan as ``yaml()`` writes it and as people do.
  ///
  /// - Throws: ``PlanError`` with the line of the first thing that is not understood: malformed
  ///   YAML, an unknown or doubled key, a value of the wrong type or out of range.
  public init(yaml: String) throws(PlanError) {
    guard yaml.utf8.count <= Self.sizeLimit else {
      throw PlanError(reason: "a plan is at most \(Self.sizeLimit >> 20) MiB")
    }
    if let line = YAMLText.lineOfAnchor(in: yaml) {
      throw PlanError(line: line, reason: "anchors (&) are not part of plans")
    }
    let root: Node?
    do {
      root = try compose(yaml: yaml, .default, .default, .utf8)
    } catch let error as YamlError {
      throw PlanError(error)
    } catch {
      throw PlanError(reason: "not YAML: \(error)")
    }
    guard let root = root else { throw PlanError(reason: "the plan is empty") }
    let keys = try PlanKeys(
      root, of: "a plan", known: ["vise", "model", "fingerprint", "target", "structure", "rules"])
    guard let version = keys["vise"] else {
      throw PlanError(line: 1, reason: "a plan starts with `vise: \(Self.formatVersion)`")
    }
    guard try version.integer() == Self.formatVersion else {
      throw version.error("this Vise reads plans of version \(Self.formatVersion)")
    }
    self.init(
      model: try keys["model"]?.string(), fingerprint: try keys["fingerprint"]?.string())
    target = try keys["target"]?.string()
    if let value = keys["structure"] { structure = try ModelStructure(reading: value) }
    for entry in try keys["rules"]?.entries() ?? [] {
      rules.append(try PlanRule(reading: entry))
    }
  }
}

extension PlanRule {
  fileprivate init(reading value: PlanValue) throws(PlanError) {
    let keys = try PlanKeys(
      value.node, of: "a rule",
      known: [
        "layers", "keep", "type", "bits", "group", "symmetric", "range", "method", "sparsity",
        "scheme",
      ])
    guard let layers = keys["layers"] else { throw value.error("the rule names no `layers`") }
    var change = SchemeChange()
    change.keeps = try keys["keep"]?.boolean()
    if let value = keys["type"] {
      (change.block, change.float) = try value.type()
      for name in ["bits", "group", "symmetric"] {
        guard let value = keys[name] else { continue }
        throw value.error("a `type` decides `\(name)` itself; give one or the other")
      }
    }
    change.bits = try keys["bits"]?.bits()
    change.group = try keys["group"]?.group()
    change.isSymmetric = try keys["symmetric"]?.boolean()
    change.range = try keys["range"]?.choice(RangeSearch.self, "range")
    change.method = try keys["method"]?.choice(QuantizationMethod.self, "method")
    change.sparsity = try keys["sparsity"]?.sparsity()
    if let words = try keys["scheme"]?.scheme() { change = change.followed(by: words) }
    self.init(layers: try layers.patterns(), change: change)
  }
}

extension PlanValue {
  /// A GGUF block type or a float format.
  fileprivate func type() throws(PlanError) -> (block: BlockType?, float: FloatFormat?) {
    let text = try string()
    let types = (block: BlockType(rawValue: text), float: FloatFormat(rawValue: text))
    guard types.block == nil, types.float == nil else { return types }
    let known = BlockType.allCases.map(\.rawValue) + FloatFormat.allCases.map(\.rawValue)
    throw error("this version knows no type \(text); it has: \(known.joined(separator: ", "))")
  }

  fileprivate func patterns() throws(PlanError) -> [String] {
    var patterns: [String] = []
    for entry in node.sequence == nil ? [self] : try entries() {
      let text = try entry.string()
      do {
        _ = try LayerPattern(text)
      } catch {
        throw entry.error(error.reason)
      }
      patterns.append(text)
    }
    guard !patterns.isEmpty else { throw error("the rule names no layers") }
    return patterns
  }

  fileprivate func bits() throws(PlanError) -> Int {
    let bits = try integer()
    if let flaw = QuantizationScheme.flaw(ofBits: bits) { throw error(flaw) }
    return bits
  }

  fileprivate func group() throws(PlanError) -> GroupSize {
    let sizes = GroupSize.sizes
    guard let group = GroupSize(try string()) else {
      throw error("a group is a number of weights or `channel`, not \(try string())")
    }
    if case .size(let size) = group, !sizes.contains(size) {
      let known = sizes.map(String.init).joined(separator: ", ")
      throw error("a group has \(known) weights or is `channel`, not \(size)")
    }
    return group
  }

  /// A scheme in words, as summaries print it.
  fileprivate func scheme() throws(PlanError) -> SchemeChange {
    let text = try string()
    guard let said = SchemeText(text) else {
      throw error(
        "\"\(text)\" names no scheme; write one such as `4 bit g64 sym`, `Q4_K`, `2:4 50 %` or `keep`"
      )
    }
    return said.change
  }

  fileprivate func sparsity() throws(PlanError) -> SparsityChange {
    if let text = node.scalar?.string {
      if text == "none" { return .none }
      if let said = SchemeText(text), said.isSparsityOnly, let change = said.change.sparsity {
        return change
      }
    }
    let keys = try PlanKeys(node, of: "`sparsity`", known: ["ratio", "pattern", "method"])
    let method = try keys["method"]?.choice(PruningMethod.self, "method") ?? .magnitude
    let ratio = try keys["ratio"]?.number()
    let pattern: SparsityPattern
    if let value = keys["pattern"], try value.string() != "unstructured" {
      pattern = try value.structuredPattern()
      if let ratio = ratio, abs(ratio - pattern.ratio) > 1e-6 {
        throw error("\(try value.string()) means a ratio of \(pattern.ratio), not \(ratio)")
      }
    } else if let ratio = ratio {
      pattern = .unstructured(ratio: ratio)
    } else {
      throw error("`sparsity` needs a `ratio`, or a `pattern` such as \"2:4\"")
    }
    if let flaw = pattern.flaw { throw error(flaw) }
    return .scheme(SparsityScheme(pattern: pattern, method: method))
  }

  private func structuredPattern() throws(PlanError) -> SparsityPattern {
    let text = try string()
    let parts = text.split(separator: ":", omittingEmptySubsequences: false).map { Int($0) }
    guard parts.count == 2, let kept = parts[0], let of = parts[1] else {
      throw error("a pattern is `unstructured` or kept:of such as \"2:4\", not \(text)")
    }
    let pattern = SparsityPattern.structured(kept: kept, of: of)
    if let flaw = pattern.flaw { throw error(flaw) }
    return pattern
  }
}
