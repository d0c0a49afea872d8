import CKernels

extension PackedMatrix {
  /// The codes, scales and minimums of a matrix in GGUF's quantized blocks, in the layer's row order.
  ///
  /// It decodes to the very same values. Nil for types whose codes, scales or minimums packed rows cannot hold.
  public init?(losslessly matrix: StoredMatrix, on pool: WorkerPool? = nil) {
    guard let layout = Self.layout(of: matrix.type) else { return nil }
    let groups = matrix.rows * (matrix.columns / matrix.type.blockSize)
    let words = matrix.rows * matrix.columns / 32 * Int(layout.bits)
    var codes = [UInt32](repeating: 0, count: words)
    var scales = [UInt16](repeating: 0, count: groups)
    var minimums = [UInt16](repeating: 0, count: layout.has_minimum != 0 ? groups : 0)
    codes.withUnsafeMutableBufferPointer { codes in
      scales.withUnsafeMutableBufferPointer { scales in
        minimums.withUnsafeMutableBufferPointer { minimums in
          let repacking = Repacking(
            matrix: matrix, layout: layout, codes: codes.baseAddress, scales: scales.baseAddress,
            minimums: minimums.baseAddress)
          if let pool {
            pool.run(count: matrix.rows, grain: 64) { repacking.repack(rows: $0) }
          } else {
            repacking.repack(rows: 0..<matrix.rows)
          }
        }
      }
    }
    self.init(
      rows: matrix.rows, columns: matrix.columns, bits: Int(layout.bits),
      groupSize: matrix.type.blockSize, codes: codes, scales: scales, scaleType: .float16,
      zeros: layout.has_minimum != 0 ? .minimums(minimums) : .symmetric)
  }

  /// How the blocks are laid out that packed rows can hold: evenly spaced codes with one scale a block.
  private static func layout(of type: ElementType) -> vk_block_layout? {
    guard let kernel = type.kernelBlock, vk_codebook(kernel) == nil else { return nil }
    let shape = vk_shape_of(kernel)
    guard shape.groups == 1 else { return nil }
    return vk_block_layout(
      bytes: type.bytesPerBlock, bits: shape.bits, has_minimum: shape.has_minimum)
  }
}

/// Where one matrix comes from and goes to.
private struct Repacking: @unchecked Sendable {
  // Unchecked: each call writes its own rows of the destinations.
  let matrix: StoredMatrix
  let layout: vk_block_layout
  let codes: UnsafeMutablePointer<UInt32>?
  let scales: UnsafeMutablePointer<UInt16>?
  let minimums: UnsafeMutablePointer<UInt16>?

  func repack(rows: Range<Int>) {
    let blocks = matrix.columns / matrix.type.blockSize
    guard let codes, let scales else { return }
    for row in rows {
      matrix.withBytes(ofRow: row) { bytes in
        var layout = layout
        vk_repack(
          &layout, bytes, blocks, codes + row * blocks * Int(layout.bits), scales + row * blocks,
          minimums.map { $0 + row * blocks })
      }
    }
  }
}
