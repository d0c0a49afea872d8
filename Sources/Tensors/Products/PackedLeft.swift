import CKernels

/// Input vectors packed as the left factor of products in single precision; packed once for all matrices that they meet.
final class PackedLeft {
  /// Panels of ``vk_pack_factor``.
  let panels: UnsafePointer<Float>
  private let memory: UnsafeMutablePointer<Float>

  /// Packs `count` vectors of `columns` values, which lie one after the other.
  init(_ x: UnsafePointer<Float>, count: Int, columns: Int, on pool: WorkerPool) {
    let level = Kernels.level
    let memory = UnsafeMutablePointer<Float>.allocate(
      capacity: vk_packed_floats(level, VK_LEFT, count, columns))
    let size = vk_panel_rows(level, VK_LEFT)
    let work = Packing(x: x, memory: memory, count: count, columns: columns)
    pool.run(count: (count + size - 1) / size, grain: 4) { panels in
      work.pack(rows: panels.lowerBound * size..<min(panels.upperBound * size, count))
    }
    self.memory = memory
    panels = UnsafePointer(memory)
  }

  deinit { memory.deallocate() }

  private struct Packing: @unchecked Sendable {
    // Unchecked: parts read what x points at, and write disjoint panels.
    let x: UnsafePointer<Float>
    let memory: UnsafeMutablePointer<Float>
    let count: Int
    let columns: Int

    /// Packs whole panels.
    func pack(rows: Range<Int>) {
      var factor = vk_factor(
        x + rows.lowerBound * columns, rows: rows.count, columns: columns, stride: columns)
      vk_pack_factor(Kernels.level, VK_LEFT, &factor, memory + rows.lowerBound * columns)
    }
  }
}
