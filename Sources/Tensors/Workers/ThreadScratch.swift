import CKernels

/// A thread's own memory for tiles, which stays from one tile to the next.
enum ThreadScratch {
  /// Calls `body` with room for `count` values, which hold anything.
  ///
  /// - Precondition: no other use of the same kind is under way in the thread.
  static func withFloats(
    _ count: Int, kind: vk_scratch_kind = VK_TILE_SCRATCH,
    _ body: (UnsafeMutablePointer<Float>) -> Void
  ) {
    guard count > 0, let memory = vk_scratch(kind, count) else {
      precondition(count == 0, "there is no memory for a tile")
      return
    }
    body(memory)
  }
}
