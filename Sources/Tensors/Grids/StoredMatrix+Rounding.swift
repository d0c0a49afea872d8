import CKernels

extension StoredMatrix {
  /// Whether its rows can be ``round(storedRows:in:to:fit:into:)`` to a type.
  public func canBeRounded(to type: ElementType) -> Bool {
    type.kernelBlock != nil && columns % type.blockSize == 0 && floatType != nil
  }

  /// Rows in a type of blocks, each weight as the nearest code of the grid that ``QuantizationGrid`` finds for its row.
  ///
  /// - Parameters:
  ///   - range: which rows of the result; it lies within `0..<rows`.
  ///   - order: the order of all rows of the result.
  ///   - type: one that the matrix can be rounded to.
  ///   - fit: how ranges are found, all weights alike important.
  ///   - bytes: becomes the blocks' bytes; its memory is used again if it has as many.
  /// - Returns: false if a weight is a NaN or an infinity; the bytes mean nothing then.
  public func round(
    storedRows range: Range<Int>, in order: RowOrder, to type: ElementType, fit: RangeFit,
    into bytes: inout [UInt8]
  ) -> Bool {
    guard let kernelType = type.kernelBlock, let floatType, canBeRounded(to: type) else {
      preconditionFailure("plain floats in rows of whole blocks")
    }
    precondition(range.lowerBound >= 0 && range.upperBound <= rows, "rows of the matrix")
    let blocks = columns / type.blockSize
    let count = range.count * blocks * type.bytesPerBlock
    if bytes.count != count { bytes = Array(repeating: 0, count: count) }
    return bytes.withUnsafeMutableBufferPointer { bytes in
      guard let destination = bytes.baseAddress else { return true }
      func round(_ source: UnsafePointer<UInt8>, rows: Int, to place: Int) -> Bool {
        vk_round_blocks(
          Kernels.level, kernelType, fit == .leastError ? 1 : 0, floatType, source, rows * blocks,
          destination + place * blocks * type.bytesPerBlock) != 0
      }
      guard order == rowOrder else {
        return range.enumerated().allSatisfy { place, stored in
          var isDone = true
          withBytes(ofRow: order.row(stored: stored, of: rows)) {
            isDone = round($0, rows: 1, to: place)
          }
          return isDone
        }
      }
      let start = offset + range.lowerBound * bytesPerRow
      return storage.withBytes(in: start..<start + range.count * bytesPerRow) { span in
        span.withUnsafeBytes { source in
          source.bindMemory(to: UInt8.self).baseAddress.map {
            round($0, rows: range.count, to: 0)
          } ?? true
        }
      }
    }
  }

  /// The type as kernels know it; nil for blocks and whatever else is no plain float of 16 or 32 bits.
  private var floatType: vk_float_type? {
    switch type.format.decoding {
    case .float32: VK_F32
    case .float16: VK_F16
    case .bfloat16: VK_BF16
    case .blocks, .none: nil
    }
  }
}
