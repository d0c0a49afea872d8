import CKernels

/// Input vectors as products with packed matrices of one group size want them.
final class PackedInputs {
  let groupSize: Int
  private let memory: UnsafeMutableRawPointer
  private let prepared: UnsafeMutablePointer<vk_packed_input>

  /// One for each vector.
  var inputs: UnsafePointer<vk_packed_input> { UnsafePointer(prepared) }

  /// Prepares `count` vectors of `columns` values, which must outlive this object.
  init(_ x: UnsafePointer<Float>, count: Int, columns: Int, groupSize: Int) {
    self.groupSize = groupSize
    let bytes = vk_packed_input_bytes(columns, groupSize)
    memory = .allocate(byteCount: bytes * count, alignment: 64)
    prepared = .allocate(capacity: count)
    for index in 0..<count {
      let input = vk_packed_prepare(
        Kernels.level, x + index * columns, columns, groupSize, memory + index * bytes)
      (prepared + index).initialize(to: input)
    }
  }

  deinit {
    prepared.deallocate()
    memory.deallocate()
  }
}
