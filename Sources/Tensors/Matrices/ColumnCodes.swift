import CKernels

/// A layer's codes once more, column by column, so that columns whose input is left out need not be read: see `vk_columns.h`.
public final class ColumnCodes: @unchecked Sendable {
  // Unchecked: codes are written before anyone else sees them.

  private let tiles: Tiles
  private let memory: UnsafeMutableRawPointer
  /// Bytes that the codes take beside the layer's own.
  public let byteCount: Int

  var rows: Int { tiles.layout.rows }
  var columns: Int { tiles.layout.columns }
  var groupSize: Int { tiles.groupSize }

  /// Above this share of the bytes of all codes, reading those of some columns is no faster: a measurement on an AMD EPYC
  /// of 2024 with two threads.
  private static let mostOfBytes = 0.45

  /// A layer's codes column by column; nil where reading them so is no faster.
  ///
  /// - Parameters:
  ///   - weights: The layer.
  ///   - share: Of its inputs, those that are left out, 0...1.
  ///   - pool: The threads that share the work.
  public init?(_ weights: LayerWeights, leavingOut share: Double, on pool: WorkerPool) {
    guard Kernels.gathersColumns, let tiles = weights.tiles, !tiles.isSparse else { return nil }
    let stored = tiles.layout.bits <= 4 ? 4.0 : 8.0
    guard stored * (1 - share) <= Self.mostOfBytes * Double(tiles.layout.bits) else { return nil }
    self.tiles = tiles
    let (blocks, bytes) = (vk_column_blocks([tiles.view]), vk_column_bytes([tiles.view]))
    byteCount = blocks * bytes
    memory = Tiles.allocate(byteCount)
    let writing = Writing(view: tiles.view, bytes: bytes, codes: memory)
    pool.run(count: blocks) { writing.write(blocks: $0) }
  }

  deinit { memory.deallocate() }

  private struct Writing: @unchecked Sendable {
    // Unchecked: each call writes its own blocks.
    let view: vk_tiles
    let bytes: Int
    let codes: UnsafeMutableRawPointer

    func write(blocks: Range<Int>) {
      var view = view
      for block in blocks {
        vk_columns_lay_out(
          Kernels.level, &view, block,
          (codes + block * bytes).assumingMemoryBound(to: UInt8.self))
      }
    }
  }

  /// Writes the product of the layer with inputs that were gathered for its group size.
  func multiply(
    _ inputs: vk_active_inputs, into y: UnsafeMutablePointer<Float>, on pool: WorkerPool
  ) {
    let product = Product(view: tiles.view, codes: memory, inputs: inputs, y: y)
    let blocks = vk_column_blocks([tiles.view])
    // Long parts first, since memory is read fastest in one stream.
    pool.run(count: blocks, grain: max(1, blocks / (4 * pool.threadCount))) {
      product.multiply(blocks: $0)
    }
  }

  private struct Product: @unchecked Sendable {
    // Unchecked: each call writes its own rows.
    let view: vk_tiles
    let codes: UnsafeMutableRawPointer
    let inputs: vk_active_inputs
    let y: UnsafeMutablePointer<Float>

    func multiply(blocks: Range<Int>) {
      var (view, inputs) = (view, inputs)
      let first = blocks.lowerBound * vk_column_rows(&view)
      vk_columns_times(
        Kernels.level, &view, codes.assumingMemoryBound(to: UInt8.self), blocks.lowerBound,
        blocks.count, &inputs, y + first)
    }
  }
}
