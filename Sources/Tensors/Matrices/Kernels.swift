import CKernels

/// The instructions that this process uses.
enum Kernels {
  /// The best level of this processor, found once.
  static let level = vk_best_level()
  /// Whether products of integers are faster than decoding and products of floats, however many vectors there are.
  static let prefersIntegers = level != VK_PORTABLE && level != VK_AVX2
  /// Whether spreading codes out to where weights are not zero is faster than reading those of zeros, too.
  static let skipsZeros = level == VK_AVX512
  /// Whether gathering codes column by column is faster than reading those of columns that are left out, too.
  static let gathersColumns = level == VK_AVX512
}
