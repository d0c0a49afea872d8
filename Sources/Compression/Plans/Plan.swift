import Tensors

/// What a plan rule says of sparsity.
public enum SparsityChange: Codable, Hashable, Sendable {
  /// Undoes what earlier rules said.
  case none
  case scheme(SparsityScheme)
}

/// The settings that a rule changes; nil leaves what earlier rules said.
public struct SchemeChange: Codable, Hashable, Sendable {
  /// True undoes everything that earlier rules said, before the rest of this change applies: alone,
  /// it leaves the layer as it is.
  public var keeps: Bool?
  /// A GGUF block type, which decides bits, group and symmetry.
  public var block: BlockType?
  /// A format of small floats, which decides the same.
  public var float: FloatFormat?
  public var bits: Int?
  public var group: GroupSize?
  public var isSymmetric: Bool?
  public var range: RangeSearch?
  public var method: QuantizationMethod?
  public var sparsity: SparsityChange?

  public init(
    keeps: Bool? = nil, block: BlockType? = nil, float: FloatFormat? = nil, bits: Int? = nil,
    group: GroupSize? = nil, isSymmetric: Bool? = nil, range: RangeSearch? = nil,
    method: QuantizationMethod? = nil,
    sparsity: SparsityChange? = nil
  ) {
    self.keeps = keeps
    self.block = block
    self.float = float
    self.bits = bits
    self.group = group
    self.isSymmetric = isSymmetric
    self.range = range
    self.method = method
    self.sparsity = sparsity
  }
}

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
