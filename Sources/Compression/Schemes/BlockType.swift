import Tensors

/// GGUF's quantized block types that layers can be compressed to.
///
/// Each fixes its own width, groups and scales, which its row says (``BlockFormat``); llama.cpp reads them as they
/// are. Types that end in K have super-blocks of 256 weights, whose groups' scales are quantized themselves;
/// IQ4_NL's codes stand for levels that lie closer together around zero.
public struct BlockType: RawRepresentable, Codable, Hashable, Sendable, CaseIterable {
  /// The element type that tensors of these blocks have.
  public let elementType: ElementType

  private init(_ elementType: ElementType) { self.elementType = elementType }

  /// The type of this name, as in `Q4_K`; nil if layers cannot be compressed to such.
  public init?(rawValue: String) {
    guard let type = ElementType(rawValue: rawValue), type.format.canBeChosen else { return nil }
    elementType = type
  }

  public var rawValue: String { elementType.rawValue }

  public static let allCases = ElementType.allCases.filter(\.format.canBeChosen).map(BlockType.init)

  public static let q4_0 = BlockType(.q4_0)
  public static let q4_1 = BlockType(.q4_1)
  public static let q5_0 = BlockType(.q5_0)
  public static let q5_1 = BlockType(.q5_1)
  public static let q8_0 = BlockType(.q8_0)
  public static let q2_K = BlockType(.q2_K)
  public static let q3_K = BlockType(.q3_K)
  public static let q4_K = BlockType(.q4_K)
  public static let q5_K = BlockType(.q5_K)
  public static let q6_K = BlockType(.q6_K)
  public static let iq4_nl = BlockType(.iq4_nl)

  /// Bits of a code: 2 to 8.
  public var bits: Int { elementType.format.bits }

  /// Weights of a row in one block; rows must be whole blocks.
  public var blockSize: Int { elementType.blockSize }

  /// Bytes of one block.
  public var bytesPerBlock: Int { elementType.bytesPerBlock }

  /// Consecutive weights that share a scale.
  public var groupSize: Int { elementType.format.groupSize }

  /// Whether groups have a scale only, and no minimum.
  public var isSymmetric: Bool { elementType.format.isSymmetric }

  /// Whether a weight of zero has a code of its own.
  public var holdsZero: Bool { isSymmetric && self != .iq4_nl }

  /// Whether the scales of the groups in a block are quantized against a scale of the block.
  public var isSuperBlock: Bool { blockSize > groupSize }

  /// The types whose blocks divide a row of `columns` weights evenly.
  public static func fitting(columns: Int) -> [BlockType] {
    allCases.filter { columns > 0 && columns % $0.blockSize == 0 }
  }
}
