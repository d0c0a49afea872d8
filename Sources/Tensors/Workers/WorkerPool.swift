import CKernels
import COpenBLAS

/// Threads for short parallel regions, such as one matrix product of a decode step.
///
/// A region costs about a microsecond. The caller works too, and blocks until all is done: run it from
/// a thread of your own, never from Swift concurrency's.
public final class WorkerPool: Sendable {
  // Unsafe only in name: the C pool synchronises itself and lives as long as this object.
  private nonisolated(unsafe) let core: OpaquePointer?
  /// Threads that share a region's work, the caller counted.
  public let threadCount: Int

  /// Processors that this process may run on.
  public static var availableProcessors: Int { Int(vk_available_processors()) }

  /// A pool of `threads` threads, the caller counted; by default one for each available processor.
  public init(threads: Int = WorkerPool.availableProcessors) {
    // Tiles are spread over this pool; OpenBLAS's own threads would only get in the way.
    if openblas_get_num_threads() != 1 { openblas_set_num_threads(1) }
    core = vk_pool_create(Int32(clamping: max(threads, 1)))
    threadCount = core.map { Int(vk_pool_threads($0)) } ?? 1
  }

  deinit {
    if let core { vk_pool_destroy(core) }
  }

  /// Calls `body` on all threads with parts of `0..<count` that hold at most `grain` items.
  ///
  /// A region inside a region, or beside one of another thread, runs on its caller alone.
  public func run(count: Int, grain: Int = 1, body: @Sendable (Range<Int>) -> Void) {
    precondition(count >= 0 && grain > 0, "a region has items and parts")
    guard let core else {
      if count > 0 { body(0..<count) }
      return
    }
    withoutActuallyEscaping(body) { escapable in
      var region = Region(body: escapable)
      withUnsafeMutablePointer(to: &region) { pointer in
        vk_pool_run(
          core, count, grain,
          { context, begin, end in
            context?.assumingMemoryBound(to: Region.self).pointee.body(begin..<end)
          }, pointer)
      }
    }
  }

  private struct Region {
    let body: @Sendable (Range<Int>) -> Void
  }
}
