import CKernels

extension ElementType {
  /// Rounds values to this type, half to even; what is too large becomes the largest finite value.
  ///
  /// - Precondition: the type is F16 or BF16.
  /// - Returns: the bits of each value.
  public func rounded(_ values: [Float]) -> [UInt16] {
    precondition(self == .float16 || self == .bfloat16, "only 16-bit types are rounded to")
    return [UInt16](unsafeUninitializedCapacity: values.count) { buffer, initialized in
      if let destination = buffer.baseAddress {
        if self == .float16 {
          vk_f32_to_f16(Kernels.level, values, destination, values.count)
        } else {
          vk_f32_to_bf16(Kernels.level, values, destination, values.count)
        }
      }
      initialized = values.count
    }
  }

  /// The index of the first value that is beyond this type's largest finite one, and would be rounded to that; nil where
  /// none is.
  public func firstOverflow(in values: [Float]) -> Int? {
    // Half a step above the largest finite value, from which on IEEE 754 rounds to infinity.
    let limit: Float
    switch self {
    case .float16: limit = 65_520
    case .bfloat16: limit = 0x1.ffp127
    default: limit = .infinity
    }
    return values.firstIndex { abs($0) >= limit }
  }

  /// Widens values of this type, given as bits.
  ///
  /// - Precondition: the type is F16 or BF16.
  public func widened(_ bits: [UInt16]) -> [Float] {
    precondition(self == .float16 || self == .bfloat16, "only 16-bit types are widened")
    return [Float](unsafeUninitializedCapacity: bits.count) { buffer, initialized in
      bits.withUnsafeBytes { source in
        if let from = source.baseAddress?.assumingMemoryBound(to: UInt8.self),
          let destination = buffer.baseAddress
        {
          if self == .float16 {
            vk_f16_to_f32(Kernels.level, from, destination, bits.count)
          } else {
            vk_bf16_to_f32(Kernels.level, from, destination, bits.count)
          }
        }
      }
      initialized = bits.count
    }
  }
}
