import CKernels

extension PackedMatrix {
  /// The codes, scales and minimums of a matrix in GGUF's quantized blocks, in the layer's row order.
  ///
  /// It decodes to the very same values. Nil for types whose codes, scales or minimums packed rows cannot hold: they have
  /// evenly spaced codes with one scale a block.
  public init?(losslessly matrix: StoredMatrix, on pool: WorkerPool? = nil) {
    guard let kernel = matrix.type.kernelBlock, vk_codebook(kernel) == nil,
      vk_shape_of(kernel).groups == 1, let tiles = Tiles(blocksOf: matrix, on: pool)
    else { return nil }
    self.init(tiles)
  }
}
