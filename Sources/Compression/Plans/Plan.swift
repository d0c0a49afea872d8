/// One rule of a plan: which layers, and what changes for them.
public struct PlanRule: Codable, Hashable, Sendable {
  /// Globs over layer names, or regular expressions behind `re:`; a layer matches if any does.
  public var layers: [String]
  public var change: SchemeChange

  public init(layers: [String], change: SchemeChange) {
    self.layers = layers
    self.change = change
  }
}

/// A scheme for every layer of one model, as rules of which later ones win.
public struct Plan: Codable, Hashable, Sendable {
  /// The model it was made for, by name; nil if it is for any.
  public var model: String?
  /// Fingerprint of that model's checkpoint.
  public var fingerprint: String?
  /// The server that its files are for, by name; nil for none yet.
  ///
  /// It changes no layer.
  public var target: String?
  public var rules: [PlanRule]
  /// What is taken from the model before the rules apply; nil takes nothing.
  public var structure: ModelStructure?

  /// A plan that keeps every layer as it is.
  public init(
    model: String? = nil, fingerprint: String? = nil, rules: [PlanRule] = [],
    structure: ModelStructure? = nil
  ) {
    self.model = model
    self.fingerprint = fingerprint
    self.rules = rules
    self.structure = structure
  }
}
