import CKernels

/// A thread's own memory for tiles, which stays from one tile to the next.
enum ThreadScratch {
  /// Calls `body` with room for `count` values, which hold anything.
  ///
  /// - Precondition: no other use of the same thread is under way.
  static func withFloats(_ count: Int, _ body: (UnsafeMutablePointer<Float>) -> Void) {
    guard count > 0, let memory = vk_scratch(count) else {
      precondition(count == 0, "there is no memory for a tile")
      return
    }
    body(memory)
  }
}
