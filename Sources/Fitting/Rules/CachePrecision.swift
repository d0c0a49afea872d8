/// What keys and values are kept as.
public enum CachePrecision: String, Codable, Hashable, Sendable, CaseIterable {
  case f32
  case f16
  /// 8 bits, with a scale in 16 bits for every 32 values where the engine has such.
  case int8

  /// Bytes that one value takes, scales counted.
  func bytes(in engine: ServingEngine) -> Double {
    switch self {
    case .f32: 4
    case .f16: 2
    // vLLM and transformers keep FP8 and 8-bit codes with a scale a tensor or a long group.
    case .int8: engine == .vllm || engine == .transformers ? 1 : 34.0 / 32
    }
  }
}
