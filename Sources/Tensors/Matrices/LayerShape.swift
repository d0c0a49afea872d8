/// A layer without its weights: what the size and validity of a scheme depend on.
public struct LayerShape: Codable, Hashable, Sendable {
  /// The layer's Hugging Face name, without `.weight`.
  public let name: String
  /// Other names that plans may use for it: `lm_head` for a tied embedding.
  public let aliases: [String]
  /// Output channels.
  public let rows: Int
  /// Input channels.
  public let columns: Int
  /// How the checkpoint stores the weights.
  public let type: ElementType
  /// Matrices of which the rows are made, one below the other: experts; 1 for all others.
  public let count: Int
  /// Whether it is looked up rather than multiplied with.
  public let isEmbedding: Bool
  /// The layer into which vLLM fuses this one; nil for none.
  public let fusion: String?

  public init(
    name: String, aliases: [String] = [], rows: Int, columns: Int, type: ElementType,
    count: Int = 1, isEmbedding: Bool = false, fusion: String? = nil
  ) {
    self.name = name
    self.aliases = aliases
    self.rows = rows
    self.columns = columns
    self.type = type
    self.count = count
    self.isEmbedding = isEmbedding
    self.fusion = fusion
  }

  /// The same layer under another name, with fewer rows or columns, or made of fewer matrices.
  public func with(name: String, rows: Int, columns: Int, count: Int) -> LayerShape {
    LayerShape(
      name: name, aliases: aliases, rows: rows, columns: columns, type: type, count: count,
      isEmbedding: isEmbedding, fusion: fusion)
  }

  /// The 16-bit type that scales and pruned weights are stored in: BF16 for a BF16 checkpoint, else F16.
  public var storageType: ElementType { type == .bfloat16 ? .bfloat16 : .float16 }
}
