import Synchronization
import Tensors
import Testing

/// Every item of a region is done exactly once, whatever the threads do.
struct WorkerPoolTests {
  @Test(arguments: [1, 2, 3, 8], [1, 7, 64])
  func everyItemIsDoneOnce(threads: Int, grain: Int) {
    let pool = WorkerPool(threads: threads)
    for count in [0, 1, 2, 63, 64, 65, 1000] {
      let seen = Mutex(Array(repeating: 0, count: count))
      pool.run(count: count, grain: grain) { part in
        #expect(part.count <= grain || threads == 1 || count <= grain)
        seen.withLock { for item in part { $0[item] += 1 } }
      }
      #expect(seen.withLock { $0.allSatisfy { $0 == 1 } })
    }
  }

  @Test func manyShortRegionsFollowEachOther() {
    let pool = WorkerPool(threads: 4)
    let sum = Atomic(0)
    // Each has another number of parts: a thread that wakes late must not take one of the next region's.
    let counts = (0..<5_000).map { 2 + $0 * 7 % 40 }
    for count in counts {
      pool.run(count: count) { part in sum.add(part.count, ordering: .relaxed) }
    }
    #expect(sum.load(ordering: .relaxed) == counts.reduce(0, +))
  }

  @Test func aRegionInsideARegionRunsOnItsCaller() {
    let pool = WorkerPool(threads: 3)
    let sum = Atomic(0)
    pool.run(count: 10) { outer in
      for _ in outer {
        pool.run(count: 10) { inner in sum.add(inner.count, ordering: .relaxed) }
      }
    }
    #expect(sum.load(ordering: .relaxed) == 100)
  }

  @Test func poolsOutnumberingTheProcessorsEnd() {
    for threads in [0, 1, 2, 40] {
      let pool = WorkerPool(threads: threads)
      #expect(pool.threadCount >= 1 && pool.threadCount <= max(threads, 1))
    }
    #expect(WorkerPool.availableProcessors >= 1)
  }
}
