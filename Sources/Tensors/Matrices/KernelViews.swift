import CKernels

extension PackedMatrix {
  /// Calls `body` with the matrix as kernels see it.
  func withKernelView(_ body: (vk_packed) -> Void) {
    codes.withUnsafeBufferPointer { codes in
      scales.withUnsafeBufferPointer { scales in
        withZeros { points, minimums in
          body(
            vk_packed(
              codes: codes.baseAddress, scales: scales.baseAddress, points: points,
              minimums: minimums, columns: columns, group: groupSize, bits: UInt32(bits),
              scales_are_bfloat: scaleType == .bfloat16 ? 1 : 0))
        }
      }
    }
  }

  private func withZeros(
    _ body: (UnsafePointer<UInt8>?, UnsafePointer<UInt16>?) -> Void
  ) {
    switch zeros {
    case .symmetric: body(nil, nil)
    case .points(let points):
      points.withUnsafeBufferPointer { body($0.baseAddress, nil) }
    case .minimums(let minimums):
      minimums.withUnsafeBufferPointer { body(nil, $0.baseAddress) }
    }
  }
}

extension StoredMatrix {
  /// Calls `body` with the matrix as kernels see it.
  ///
  /// - Precondition: its type is F32, F16 or BF16.
  func withKernelView(_ body: (vk_rows) -> Void) {
    precondition(!type.isQuantized, "blocks are no rows of numbers")
    let kernelType = type == .float32 ? VK_F32 : type == .float16 ? VK_F16 : VK_BF16
    storage.withBytes(in: offset..<offset + byteCount) { span in
      span.withUnsafeBytes { bytes in
        var view = vk_rows()
        view.elements = bytes.bindMemory(to: UInt8.self).baseAddress
        view.columns = columns
        view.type = kernelType
        switch rowOrder {
        case .plain: break
        case .interleavedHalves(let heads): view.interleaved_head = rows / heads
        case .tiledHeads(let first, let tiling):
          view.tiled_from = first
          view.tiled_groups = tiling.groups
          view.tiled_heads = tiling.heads
          view.tiled_size = (rows - first) / (tiling.groups * tiling.heads)
        }
        body(view)
      }
    }
  }
}
