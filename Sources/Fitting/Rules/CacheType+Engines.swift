import Tensors

extension CacheType {
  /// Bytes that one value of the cache takes, scales counted.
  func bytes(in engine: ServingEngine) -> Double {
    switch self {
    case .f32: 4
    case .f16: 2
    // vLLM and transformers keep FP8 and 8-bit codes with a scale a tensor or a long group.
    case .int8: engine == .vllm || engine == .transformers ? 1 : 34.0 / 32
    }
  }
}
