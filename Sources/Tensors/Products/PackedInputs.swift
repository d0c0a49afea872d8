import CKernels

/// Sums over groups of input vectors, for products with packed matrices of one group size.
struct PackedInputs {
  let groupSize: Int
  let sums: [Float]

  /// Sums of `count` vectors of `columns` values.
  init(_ x: UnsafePointer<Float>, count: Int, columns: Int, groupSize: Int) {
    self.groupSize = groupSize
    let groups = columns / groupSize
    sums = [Float](unsafeUninitializedCapacity: count * groups) { sums, initialized in
      if let start = sums.baseAddress {
        for index in 0..<count {
          vk_group_sums(
            Kernels.level, x + index * columns, columns, groupSize, start + index * groups)
        }
      }
      initialized = count * groups
    }
  }
}
