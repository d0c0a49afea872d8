import CKernels

/// The instructions that this process uses.
enum Kernels {
  /// The best level of this processor, found once.
  static let level = vk_best_level()
}
