import Tensors

extension Plan {
  /// The plan as a file that people edit; ``init(yaml:)`` reads it back equal.
  public func yaml() -> String {
    var lines = ["vise: \(Self.formatVersion)"]
    if let model = model { lines.append("model: \(Self.scalar(model))") }
    if let fingerprint = fingerprint { lines.append("fingerprint: \(Self.scalar(fingerprint))") }
    if let target { lines.append("target: \(Self.scalar(target))") }
    if let structure { lines += structure.yamlLines }
    lines.append(rules.isEmpty ? "rules: []" : "rules:")
    for rule in rules {
      lines += Self.layerLines(rule.layers)
      lines += Self.settings(of: rule.change).map { "    \($0)" }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func layerLines(_ layers: [String]) -> [String] {
    if layers.count == 1 { return ["  - layers: \(scalar(layers[0]))"] }
    return ["  - layers:"] + layers.map { "      - \(scalar($0))" }
  }

  private static func settings(of change: SchemeChange) -> [String] {
    var lines: [String] = []
    if let keeps = change.keeps { lines.append("keep: \(keeps)") }
    if let type = change.block?.rawValue ?? change.float?.rawValue { lines.append("type: \(type)") }
    if let bits = change.bits { lines.append("bits: \(bits)") }
    if let group = change.group { lines.append("group: \(group)") }
    if let isSymmetric = change.isSymmetric { lines.append("symmetric: \(isSymmetric)") }
    if let range = change.range { lines.append("range: \(range.rawValue)") }
    if let method = change.method { lines.append("method: \(method.rawValue)") }
    switch change.sparsity {
    case nil: break
    case .some(.none): lines.append("sparsity: none")
    case .scheme(let sparsity): lines.append("sparsity: { \(settings(of: sparsity)) }")
    }
    return lines
  }

  private static func settings(of sparsity: SparsityScheme) -> String {
    let pattern =
      switch sparsity.pattern {
      case .unstructured(let ratio): "ratio: \(ratio), pattern: unstructured"
      case .structured(let kept, let of): "pattern: \"\(kept):\(of)\""
      }
    return "\(pattern), method: \(sparsity.method.rawValue)"
  }

  /// A YAML scalar that every reader takes for this very text.
  private static func scalar(_ text: String) -> String {
    let isWord =
      text.first.map { $0.isASCII && $0.isLetter } == true
      && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "._-".contains($0)) }
    let isReserved = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"]
      .contains(text.lowercased())
    if isWord && !isReserved { return text }
    return "\"" + text.unicodeScalars.map(escaped).joined() + "\""
  }

  private static func escaped(_ scalar: Unicode.Scalar) -> String {
    switch scalar {
    case "\"", "\\": return "\\\(scalar)"
    // Readers look for anchors without minding quotes.
    case "&": return "\\x26"
    case " "..."~": return String(scalar)
    default:
      let digits = String(scalar.value, radix: 16)
      return "\\U" + String(repeating: "0", count: 8 - digits.count) + digits
    }
  }
}
