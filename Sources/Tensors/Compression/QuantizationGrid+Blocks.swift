import CKernels

extension QuantizationGrid {
  /// A grid of one of GGUF's block types.
  ///
  /// Scales and minimums are those that the blocks store: in F16, and for K types as multiples of the
  /// block's own. A search finds, for scales at which codes change, the scale and minimum of least
  /// weighted squared error in closed form, as llama.cpp's `make_qkx3_quants` does, and for K types
  /// also the best of some scales of the block.
  ///
  /// - Parameters:
  ///   - matrix: finite weights.
  ///   - type: Q4_0 to Q8_0, Q2_K to Q6_K or IQ4_NL; its block size divides the columns.
  ///   - fit: how ranges are found.
  ///   - importance: what a squared error in each column counts, to a search; nil counts all alike.
  public init(
    fitting matrix: Matrix, type: ElementType, fit: RangeFit, importance: [Float]? = nil
  ) {
    guard let kernelType = type.kernelBlock else { preconditionFailure("a type of blocks") }
    precondition(matrix.columns % type.blockSize == 0, "rows are whole blocks")
    precondition(importance.map { $0.count == matrix.columns } ?? true, "one weight a column")
    let blocks = matrix.columns / type.blockSize
    let headers = [vk_block_header](unsafeUninitializedCapacity: matrix.rows * blocks) {
      headers, initialized in
      matrix.values.withUnsafeBufferPointer { weights in
        withOptionalValues(importance) { importance in
          guard let weights = weights.baseAddress, let headers = headers.baseAddress else { return }
          for row in 0..<matrix.rows {
            vk_fit_blocks(
              Kernels.level, kernelType, fit == .leastError ? 1 : 0, weights + row * matrix.columns,
              importance, blocks, headers + row * blocks)
          }
        }
      }
      initialized = matrix.rows * blocks
    }
    let shape = type.blockGrid
    let groups = matrix.rows * matrix.columns / shape.groupSize
    let groupsPerBlock = type.blockSize / shape.groupSize
    var scales = [Float](repeating: 0, count: groups)
    var minimums = [Float](repeating: 0, count: groups)
    scales.withUnsafeMutableBufferPointer { scales in
      minimums.withUnsafeMutableBufferPointer { minimums in
        guard let scales = scales.baseAddress, let minimums = minimums.baseAddress else { return }
        for (index, header) in headers.enumerated() {
          var header = header
          vk_block_groups(
            kernelType, &header, scales + index * groupsPerBlock, minimums + index * groupsPerBlock)
        }
      }
    }
    self.init(
      matrix: matrix, groupSize: shape.groupSize, levels: shape.levels, base: shape.base,
      scales: scales, zeros: Array(repeating: 0, count: groups), minimums: minimums,
      parts: .blocks(type, headers))
  }
}

extension ElementType {
  /// The kernels' name of a type of blocks that is quantized to.
  var kernelBlock: vk_block_type? {
    switch self {
    case .q4_0: VK_Q4_0
    case .q4_1: VK_Q4_1
    case .q5_0: VK_Q5_0
    case .q5_1: VK_Q5_1
    case .q8_0: VK_Q8_0
    case .q2_K: VK_Q2_K
    case .q3_K: VK_Q3_K
    case .q4_K: VK_Q4_K
    case .q5_K: VK_Q5_K
    case .q6_K: VK_Q6_K
    case .iq4_nl: VK_IQ4_NL
    default: nil
    }
  }

  /// Weights that share a scale, the levels of codes, and the level of code 0.
  fileprivate var blockGrid: (groupSize: Int, levels: ClosedRange<Int>, base: Int) {
    switch self {
    case .q4_0: (32, -8...7, -8)
    case .q4_1, .q4_K: (32, 0...15, 0)
    case .q5_0: (32, -16...15, -16)
    case .q5_1, .q5_K: (32, 0...31, 0)
    // ggml never stores -128, and some of its kernels rely on that.
    case .q8_0: (32, -127...127, -128)
    case .q2_K: (16, 0...3, 0)
    case .q3_K: (16, -4...3, -4)
    case .q6_K: (16, -32...31, -32)
    // Indices of its codebook.
    case .iq4_nl: (32, 0...15, 0)
    default: preconditionFailure("a type of blocks that is quantized to")
    }
  }
}
