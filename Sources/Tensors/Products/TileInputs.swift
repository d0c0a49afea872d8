import CKernels

/// Input vectors rounded to integers, for products with tiles of one group size.
final class TileInputs {
  let groupSize: Int
  let view: vk_tile_inputs
  private let memory: UnsafeMutableRawPointer

  /// Rounds `count` vectors of `columns` values.
  init(
    _ x: UnsafePointer<Float>, count: Int, columns: Int, groupSize: Int, _ arithmetic: Arithmetic,
    on pool: WorkerPool
  ) {
    self.groupSize = groupSize
    let bytes = vk_tile_input_bytes(count, columns, groupSize, arithmetic.planes)
    memory = .allocate(byteCount: bytes, alignment: 64)
    view = vk_tiles_lay_out(count, columns, groupSize, arithmetic.planes, memory)
    let rounding = Rounding(x: x, view: view, columns: columns, groupSize: groupSize)
    pool.run(count: vk_tile_input_blocks([view])) { rounding.round(blocks: $0) }
  }

  deinit { memory.deallocate() }

  private struct Rounding: @unchecked Sendable {
    // Unchecked: each call writes its own blocks.
    let x: UnsafePointer<Float>
    let view: vk_tile_inputs
    let columns: Int
    let groupSize: Int

    func round(blocks: Range<Int>) {
      var view = view
      for block in blocks {
        vk_tiles_prepare(Kernels.level, &view, block, x, columns, groupSize)
      }
    }
  }
}
