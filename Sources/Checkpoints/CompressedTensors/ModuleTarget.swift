import Text

/// What names modules in a quantization configuration: a name, a class, or `re:` and a regular expression.
struct ModuleTarget: Hashable, Sendable {
  /// As the configuration has it.
  let text: String
  private let pattern: NamePattern?

  /// - Throws: ``NamePatternError`` if `text` is a regular expression that is not read.
  init(_ text: String) throws(NamePatternError) {
    self.text = text
    guard text.hasPrefix(Self.prefix) else {
      pattern = nil
      return
    }
    pattern = try NamePattern(String(text.dropFirst(Self.prefix.count)))
  }

  private static let prefix = "re:"

  var isPattern: Bool { pattern != nil }

  /// Whether this is the name, or a regular expression that matches it.
  func matches(name: String) -> Bool { pattern?.matches(name, .start) ?? (text == name) }

  /// Whether this is a class of the layer's module in transformers, or one that it inherits from.
  func matchesClass(of layer: LayerName) -> Bool {
    text == "Module" || text == (layer.isEmbedding ? "Embedding" : "Linear")
  }

  static func == (first: ModuleTarget, second: ModuleTarget) -> Bool { first.text == second.text }

  func hash(into hasher: inout Hasher) { hasher.combine(text) }
}
