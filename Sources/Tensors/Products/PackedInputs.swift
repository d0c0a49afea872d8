import CKernels

/// Input vectors as products with packed matrices of one group size want them.
final class PackedInputs: @unchecked Sendable {
  // Unchecked: nothing changes after init.
  private let memory: UnsafeMutableRawPointer
  /// One for each vector; they point into `memory`, and at the vectors themselves.
  let inputs: [vk_packed_input]

  /// Prepares `count` vectors of `columns` values, which must outlive this object.
  init(_ x: UnsafePointer<Float>, count: Int, columns: Int, groupSize: Int) {
    let bytes = vk_packed_input_bytes(columns, groupSize)
    let memory = UnsafeMutableRawPointer.allocate(byteCount: bytes * count, alignment: 64)
    self.memory = memory
    inputs = (0..<count).map { index in
      vk_packed_prepare(
        Kernels.level, x + index * columns, columns, groupSize, memory + index * bytes)
    }
  }

  deinit { memory.deallocate() }
}
