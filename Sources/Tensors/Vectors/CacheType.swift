import CKernels

/// What cached keys and values are rounded to.
public enum CacheType: String, Codable, Hashable, CaseIterable, Sendable {
  /// As they are computed.
  case f32
  case f16
  /// Codes of 8 bits, and a scale in F16 for each 32 values of a head.
  case int8

  /// Bytes that one head's key or value takes at one position.
  public func bytes(ofHead size: Int) -> Int { vk_cached_bytes(kernelType, size) }

  var kernelType: vk_cache_type {
    switch self {
    case .f32: VK_CACHE_F32
    case .f16: VK_CACHE_F16
    case .int8: VK_CACHE_INT8
    }
  }
}
