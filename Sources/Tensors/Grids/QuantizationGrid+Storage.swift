import CKernels

extension QuantizationGrid {
  /// What is stored of codes under this grid; these decode to ``weights(of:)``: packed codes, small floats or GGUF's blocks.
  ///
  /// - Precondition: there are `rows * columns` codes, at least one.
  public func storage(of codes: [UInt8]) -> LayerWeights {
    precondition(codes.count == rows * columns, "a code for every weight")
    switch parts {
    case .integers(let bits, let scales, let type, let points):
      return .packed(
        PackedMatrix(
          rows: rows, columns: columns, bits: bits, groupSize: groupSize,
          codes: PackedMatrix.pack(codes: codes, rows: rows, columns: columns, bits: bits),
          scales: scales, scaleType: type, zeros: points.map { .points($0) } ?? .symmetric))
    case .floats(let floats): return .floats(floats.matrix(ofLevels: codes))
    case .blocks(let type, let headers):
      return .stored(blocks(of: type, headers, codes))
    }
  }
}

extension QuantizationGrid {
  private func blocks(
    of type: ElementType, _ headers: [vk_block_header], _ codes: [UInt8]
  ) -> StoredMatrix {
    let count = headers.count * type.bytesPerBlock
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { bytes, initialized in
      if let kernelType = type.kernelBlock, let destination = bytes.baseAddress {
        vk_encode_blocks(
          Kernels.level, kernelType, headers, codes, headers.count, destination)
      }
      initialized = count
    }
    return StoredMatrix(copying: bytes, type: type, rows: rows, columns: columns)
  }
}
