import CKernels

/// How exactly products with integer codes are computed.
///
/// Vectors are rounded to integers with a step for each 32 values.
public enum Arithmetic: String, Codable, Hashable, CaseIterable, Sendable {
  /// To 16 bits: as good as single precision, and what every figure is computed with.
  case exact
  /// To 8 bits, as llama.cpp does: faster with many vectors at a time, at about the error of weights of 8 bits.
  case fast
}

extension Arithmetic {
  var planes: vk_planes {
    switch self {
    case .exact: VK_EXACT
    case .fast: VK_FAST
    }
  }
}
