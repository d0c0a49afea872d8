import Tensors

/// GGUF's quantized block types that layers can be compressed to.
///
/// Each fixes its own width, groups and scales; llama.cpp reads them as they are. Types that end in K
/// have super-blocks of 256 weights, whose groups' scales are quantized themselves; IQ4_NL's codes stand for
/// levels that lie closer together around zero.
/// Source: ggml's `ggml-common.h`, and formats of the `gguf` package.
public enum BlockType: String, Codable, Hashable, Sendable, CaseIterable {
  case q4_0 = "Q4_0"
  case q4_1 = "Q4_1"
  case q5_0 = "Q5_0"
  case q5_1 = "Q5_1"
  case q8_0 = "Q8_0"
  case q2_K = "Q2_K"
  case q3_K = "Q3_K"
  case q4_K = "Q4_K"
  case q5_K = "Q5_K"
  case q6_K = "Q6_K"
  case iq4_nl = "IQ4_NL"

  /// The element type that tensors of these blocks have.
  public var elementType: ElementType {
    switch self {
    case .q4_0: .q4_0
    case .q4_1: .q4_1
    case .q5_0: .q5_0
    case .q5_1: .q5_1
    case .q8_0: .q8_0
    case .q2_K: .q2_K
    case .q3_K: .q3_K
    case .q4_K: .q4_K
    case .q5_K: .q5_K
    case .q6_K: .q6_K
    case .iq4_nl: .iq4_nl
    }
  }

  /// Bits of a code: 2 to 8.
  public var bits: Int {
    switch self {
    case .q2_K: 2
    case .q3_K: 3
    case .q4_0, .q4_1, .q4_K, .iq4_nl: 4
    case .q5_0, .q5_1, .q5_K: 5
    case .q6_K: 6
    case .q8_0: 8
    }
  }

  /// Weights of a row in one block; rows must be whole blocks.
  public var blockSize: Int { elementType.blockSize }

  /// Bytes of one block.
  public var bytesPerBlock: Int { elementType.bytesPerBlock }

  /// Consecutive weights that share a scale.
  public var groupSize: Int {
    switch self {
    case .q4_0, .q4_1, .q5_0, .q5_1, .q8_0, .q4_K, .q5_K, .iq4_nl: 32
    case .q2_K, .q3_K, .q6_K: 16
    }
  }

  /// Whether groups have a scale only, and no minimum.
  public var isSymmetric: Bool {
    switch self {
    case .q4_0, .q5_0, .q8_0, .q3_K, .q6_K, .iq4_nl: true
    case .q4_1, .q5_1, .q2_K, .q4_K, .q5_K: false
    }
  }

  /// Whether a weight of zero has a code of its own.
  public var holdsZero: Bool { isSymmetric && self != .iq4_nl }

  /// Whether the scales of the groups in a block are quantized against a scale of the block.
  public var isSuperBlock: Bool { blockSize > 32 }

  /// The types whose blocks divide a row of `columns` weights evenly.
  public static func fitting(columns: Int) -> [BlockType] {
    allCases.filter { columns > 0 && columns % $0.blockSize == 0 }
  }
}
