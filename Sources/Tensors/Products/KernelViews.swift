import CKernels

extension PackedMatrix {
  /// Calls `body` with the matrix as kernels see it and the scratch memory that they need.
  func withKernelView(
    _ body: (UnsafePointer<vk_packed>, UnsafeMutablePointer<UInt8>) -> Void
  ) {
    codes.withUnsafeBufferPointer { codes in
      scales.withUnsafeBufferPointer { scales in
        withZeros { points, minimums in
          var view = vk_packed(
            codes: codes.baseAddress, scales: scales.baseAddress, points: points,
            minimums: minimums, columns: columns, group: groupSize, bits: UInt32(bits),
            scales_are_bfloat: scaleType == .bfloat16 ? 1 : 0)
          withUnsafeTemporaryAllocation(
            of: UInt8.self, capacity: vk_packed_scratch(columns)
          ) { scratch in
            if let start = scratch.baseAddress { body(&view, start) }
          }
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
  /// Calls `body` with the matrix as kernels see it; returns false, without a call, for block types.
  func withKernelView(_ body: (UnsafePointer<vk_rows>) -> Void) -> Bool {
    let kernelType: vk_float_type
    switch type {
    case .float32: kernelType = VK_F32
    case .float16: kernelType = VK_F16
    case .bfloat16: kernelType = VK_BF16
    default: return false
    }
    let interleavedHead =
      switch rowOrder {
      case .plain: 0
      case .interleavedHalves(let heads): rows / heads
      }
    storage.withBytes(in: offset..<offset + byteCount) { span in
      span.withUnsafeBytes { bytes in
        var view = vk_rows(
          elements: bytes.bindMemory(to: UInt8.self).baseAddress, columns: columns,
          type: kernelType, interleaved_head: interleavedHead)
        body(&view)
      }
    }
    return true
  }
}
