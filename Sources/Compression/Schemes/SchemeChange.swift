import Tensors

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

/// What a plan rule says of sparsity.
public enum SparsityChange: Codable, Hashable, Sendable {
  /// Undoes what earlier rules said.
  case none
  case scheme(SparsityScheme)
}
