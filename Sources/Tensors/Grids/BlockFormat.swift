import CKernels

/// A type's row: all that files, kernels and plans need to know of it.
///
/// Plain types are blocks of one element. What a block looks like inside is in the C kernels' row of the type,
/// `VK_BLOCK_TYPES` in `vk_blocks.h`, which this one reads. Numbers: `ggml_type` in ggml's `ggml.h`, `llama_ftype` in
/// llama.cpp's `llama.h`.
public struct BlockFormat: Hashable, Sendable {
  /// How elements become single precision.
  enum Decoding: Hashable, Sendable {
    case none
    case float32
    case float16
    case bfloat16
    case blocks(vk_block_type)
  }

  /// What ggml numbers the type in GGUF files; nil for types that only safetensors has.
  public let number: UInt32?
  /// What llama.cpp numbers a file of which most weights have this type; nil for types that name no file.
  public let fileType: UInt32?
  /// Elements of a row in one block; rows must be whole blocks.
  public let blockSize: Int
  public let bytesPerBlock: Int
  /// Bits of a code, or of a plain element.
  public let bits: Int
  /// Consecutive elements that share a scale; for plain types, which have none, 1.
  public let groupSize: Int
  /// Whether groups have a scale only, and no minimum.
  public let isSymmetric: Bool
  /// Whether weights can be quantized to it.
  public let canBeChosen: Bool
  let decoding: Decoding

  /// A type of elements that stand for themselves, or of blocks that are only stepped over.
  fileprivate init(
    _ number: UInt32?, bytes: Int, of blockSize: Int = 1, fileType: UInt32? = nil,
    decoding: Decoding = .none
  ) {
    self.number = number
    self.fileType = fileType
    self.blockSize = blockSize
    self.bytesPerBlock = bytes
    bits = bytes * 8 / blockSize
    groupSize = blockSize
    isSymmetric = true
    canBeChosen = false
    self.decoding = decoding
  }

  /// A type of quantized blocks.
  fileprivate init(
    _ number: UInt32, _ kernel: vk_block_type, fileType: UInt32, canBeChosen: Bool = false
  ) {
    let shape = vk_shape_of(kernel)
    self.number = number
    self.fileType = fileType
    blockSize = Int(shape.group * shape.groups)
    bytesPerBlock = Int(shape.bytes)
    bits = Int(shape.bits)
    groupSize = Int(shape.group)
    isSymmetric = shape.has_minimum == 0
    self.canBeChosen = canBeChosen
    decoding = .blocks(kernel)
  }
}

extension ElementType {
  /// The type's row.
  public var format: BlockFormat {
    switch self {
    case .float64: BlockFormat(28, bytes: 8)
    case .float32: BlockFormat(0, bytes: 4, fileType: 0, decoding: .float32)
    case .float16: BlockFormat(1, bytes: 2, fileType: 1, decoding: .float16)
    case .bfloat16: BlockFormat(30, bytes: 2, fileType: 32, decoding: .bfloat16)
    case .float8: BlockFormat(nil, bytes: 1)
    case .int64: BlockFormat(27, bytes: 8)
    case .int32: BlockFormat(26, bytes: 4)
    case .int16: BlockFormat(25, bytes: 2)
    case .int8: BlockFormat(24, bytes: 1)
    case .uint8: BlockFormat(nil, bytes: 1)
    case .bool: BlockFormat(nil, bytes: 1)
    case .q4_0: BlockFormat(2, VK_Q4_0, fileType: 2, canBeChosen: true)
    case .q4_1: BlockFormat(3, VK_Q4_1, fileType: 3, canBeChosen: true)
    case .q5_0: BlockFormat(6, VK_Q5_0, fileType: 8, canBeChosen: true)
    case .q5_1: BlockFormat(7, VK_Q5_1, fileType: 9, canBeChosen: true)
    case .q8_0: BlockFormat(8, VK_Q8_0, fileType: 7, canBeChosen: true)
    case .q2_K: BlockFormat(10, VK_Q2_K, fileType: 10, canBeChosen: true)
    // The small mixtures of K types are those of one type only.
    case .q3_K: BlockFormat(11, VK_Q3_K, fileType: 11, canBeChosen: true)
    case .q4_K: BlockFormat(12, VK_Q4_K, fileType: 14, canBeChosen: true)
    case .q5_K: BlockFormat(13, VK_Q5_K, fileType: 16, canBeChosen: true)
    case .q6_K: BlockFormat(14, VK_Q6_K, fileType: 18, canBeChosen: true)
    case .iq4_nl: BlockFormat(20, VK_IQ4_NL, fileType: 25, canBeChosen: true)
    case .iq4_xs: BlockFormat(23, VK_IQ4_XS, fileType: 30)
    case .iq3_xxs: BlockFormat(18, VK_IQ3_XXS, fileType: 23)
    case .iq3_s: BlockFormat(21, VK_IQ3_S, fileType: 26)
    case .iq2_xxs: BlockFormat(16, VK_IQ2_XXS, fileType: 19)
    case .iq2_xs: BlockFormat(17, VK_IQ2_XS, fileType: 20)
    case .iq2_s: BlockFormat(22, VK_IQ2_S, fileType: 28)
    case .iq1_s: BlockFormat(19, VK_IQ1_S, fileType: 24)
    case .iq1_m: BlockFormat(29, VK_IQ1_M, fileType: 31)
    case .tq1_0: BlockFormat(34, VK_TQ1_0, fileType: 36)
    case .tq2_0: BlockFormat(35, VK_TQ2_0, fileType: 37)
    case .q1_0: BlockFormat(41, VK_Q1_0, fileType: 40)
    case .q2_0: BlockFormat(42, VK_Q2_0, fileType: 41)
    case .mxfp4: BlockFormat(39, VK_MXFP4_BLOCKS, fileType: 38)
    case .nvfp4: BlockFormat(40, VK_NVFP4_BLOCKS, fileType: 39)
    // Activations that ggml rounds while it multiplies; no tool stores them.
    case .q8_1: BlockFormat(9, bytes: 36, of: 32)
    case .q8_K: BlockFormat(15, bytes: 292, of: 256)
    }
  }

  /// The type that ggml gives a number; nil for numbers that this version does not know.
  public init?(number: UInt32) {
    guard let type = Self.byNumber[number] else { return nil }
    self = type
  }

  private static let byNumber = Dictionary(
    uniqueKeysWithValues: allCases.compactMap { type in type.format.number.map { ($0, type) } })
}
