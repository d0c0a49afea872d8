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
  ///   - type: one that ``BlockFormat/canBeChosen``; its block size divides the columns.
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
        importance.withPointer { importance in
          guard let weights = weights.baseAddress, let headers = headers.baseAddress else { return }
          vk_fit_blocks(
            Kernels.level, kernelType, fit == .leastError ? 1 : 0, weights, importance, blocks,
            matrix.rows * blocks, headers)
        }
      }
      initialized = matrix.rows * blocks
    }
    let shape = vk_shape_of(kernelType)
    let (groupSize, groupsPerBlock) = (Int(shape.group), Int(shape.groups))
    let groups = matrix.rows * matrix.columns / groupSize
    let (levels, base) = shape.levels(hasCodebook: vk_codebook(kernelType) != nil)
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
      matrix: matrix, groupSize: groupSize, levels: levels, base: base,
      scales: scales, zeros: Array(repeating: 0, count: groups), minimums: minimums,
      parts: .blocks(type, headers))
  }
}

extension ElementType {
  /// The kernels' name of a type of blocks that is quantized to.
  var kernelBlock: vk_block_type? {
    let format = format
    guard format.canBeChosen, case .blocks(let kernel) = format.decoding else { return nil }
    return kernel
  }
}

extension vk_block_shape {
  /// The levels of codes, and the level of code 0; where codes stand for a codebook's levels, their indices.
  fileprivate func levels(hasCodebook: Bool) -> (ClosedRange<Int>, base: Int) {
    guard !hasCodebook else { return (0...(1 << Int(bits)) - 1, 0) }
    return (Int(lowest)...Int(highest), has_minimum != 0 ? 0 : -(1 << (Int(bits) - 1)))
  }
}
