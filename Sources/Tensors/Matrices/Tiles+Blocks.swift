import CKernels

extension Tiles {
  /// The blocks of a stored matrix in the layer's row order; nil for types that tiles do not hold.
  convenience init?(blocksOf matrix: StoredMatrix, on pool: WorkerPool?) {
    guard case .blocks(let type) = matrix.type.format.decoding else { return nil }
    var kind = vk_tile_kind()
    guard vk_tile_block_kind(type, &kind) != 0 else { return nil }
    var layout = Layout(
      rows: matrix.rows, columns: matrix.columns, bits: Int(kind.bits), groupSize: kind.group)
    layout.groupsAScale = kind.groups_a_scale
    layout.hasMinimums = kind.has_minimums != 0
    layout.hasMultiples = kind.has_multiples != 0
    layout.multiplesAreSigned = kind.multiples_are_signed != 0
    layout.zero = kind.zero
    if let table = kind.table { layout.table = (0..<16).map { table[$0] } }
    guard layout.isPossible else { return nil }
    self.init(layout, on: pool) { _, rows, destination in
      let columns = matrix.columns
      let start = matrix.offset
      matrix.storage.withBytes(in: start..<start + matrix.byteCount) { span in
        span.withUnsafeBytes { bytes in
          guard let base = bytes.bindMemory(to: UInt8.self).baseAddress else { return }
          let pointers = rows.map { row -> UnsafePointer<UInt8>? in
            base + matrix.rowOrder.storedRow(row, of: matrix.rows) * matrix.bytesPerRow
          }
          withUnsafeTemporaryAllocation(of: UInt8.self, capacity: vk_tile_scratch(columns)) {
            var destination = destination
            vk_tile_blocks(
              Kernels.level, type, pointers, rows.count, columns, $0.baseAddress, &destination)
          }
        }
      }
    }
    // What was read once is not needed again soon.
    matrix.storage.releasePages(in: matrix.offset..<matrix.offset + matrix.byteCount)
  }
}
