/// How the elements of a stored tensor are encoded, named as safetensors and GGUF name them.
///
/// GGUF's block types hold 32 elements a block: a scale, for some a minimum, and the codes; those that
/// end in K hold 256, in groups whose scales are multiples of the block's.
public enum ElementType: String, Codable, Hashable, Sendable, CaseIterable {
  case float64 = "F64"
  case float32 = "F32"
  case float16 = "F16"
  case bfloat16 = "BF16"
  case float8 = "F8_E4M3"
  case int64 = "I64"
  case int32 = "I32"
  case int16 = "I16"
  case int8 = "I8"
  case uint8 = "U8"
  case bool = "BOOL"
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

  /// Elements in one block; 1 for plain types.
  public var blockSize: Int {
    switch self {
    case .q4_0, .q4_1, .q5_0, .q5_1, .q8_0, .iq4_nl: 32
    case .q2_K, .q3_K, .q4_K, .q5_K, .q6_K: 256
    default: 1
    }
  }

  /// Bytes in one block; the element's own size for plain types.
  public var bytesPerBlock: Int {
    switch self {
    case .float64, .int64: 8
    case .float32, .int32: 4
    case .float16, .bfloat16, .int16: 2
    case .float8, .int8, .uint8, .bool: 1
    case .q4_0, .iq4_nl: 18
    case .q4_1: 20
    case .q5_0: 22
    case .q5_1: 24
    case .q8_0: 34
    case .q2_K: 84
    case .q3_K: 110
    case .q4_K: 144
    case .q5_K: 176
    case .q6_K: 210
    }
  }

  /// Whether values of this type are weights that ``StoredMatrix`` can decode.
  public var isDecodable: Bool {
    switch self {
    case .float32, .float16, .bfloat16: true
    case .q4_0, .q4_1, .q5_0, .q5_1, .q8_0: true
    case .q2_K, .q3_K, .q4_K, .q5_K, .q6_K, .iq4_nl: true
    case .float64, .float8, .int64, .int32, .int16, .int8, .uint8, .bool: false
    }
  }

  /// Whether this is one of GGUF's quantized block types.
  public var isQuantized: Bool { blockSize > 1 }

  /// Bytes that `count` elements take; nil when they fill no whole number of blocks or overflow.
  public func byteCount(elements count: Int) -> Int? {
    guard count >= 0, count % blockSize == 0 else { return nil }
    let (bytes, overflow) = (count / blockSize).multipliedReportingOverflow(by: bytesPerBlock)
    return overflow ? nil : bytes
  }
}
