/// How the elements of a stored tensor are encoded, named as safetensors and GGUF name them.
///
/// What there is to know of each, such as sizes and numbers, is in its row: ``format``.
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
  case iq4_xs = "IQ4_XS"
  case iq3_xxs = "IQ3_XXS"
  case iq3_s = "IQ3_S"
  case iq2_xxs = "IQ2_XXS"
  case iq2_xs = "IQ2_XS"
  case iq2_s = "IQ2_S"
  case iq1_s = "IQ1_S"
  case iq1_m = "IQ1_M"
  case tq1_0 = "TQ1_0"
  case tq2_0 = "TQ2_0"
  case q1_0 = "Q1_0"
  case q2_0 = "Q2_0"
  case mxfp4 = "MXFP4"
  case nvfp4 = "NVFP4"
  case q8_1 = "Q8_1"
  case q8_K = "Q8_K"

  /// Elements in one block; 1 for plain types.
  public var blockSize: Int { format.blockSize }

  /// Bytes in one block; the element's own size for plain types.
  public var bytesPerBlock: Int { format.bytesPerBlock }

  /// Whether values of this type are weights that ``StoredMatrix`` can decode.
  public var isDecodable: Bool { format.decoding != .none }

  /// Whether this is one of GGUF's quantized block types.
  public var isQuantized: Bool { blockSize > 1 }

  /// Bytes that `count` elements take; nil when they fill no whole number of blocks or overflow.
  public func byteCount(elements count: Int) -> Int? {
    let format = format
    guard count >= 0, count % format.blockSize == 0 else { return nil }
    let (bytes, overflow) = (count / format.blockSize)
      .multipliedReportingOverflow(by: format.bytesPerBlock)
    return overflow ? nil : bytes
  }
}
