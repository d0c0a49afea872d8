/// Input vectors in the forms in which operands read them; operands for which there is none are decoded.
struct PreparedInputs {
  let x: UnsafePointer<Float>
  /// Vectors, and values of each.
  let count: Int
  let columns: Int
  private var packed: [PackedInputs] = []
  private var tiles: [TileInputs] = []

  /// Prepares vectors for each group size of some parts.
  init(
    _ x: UnsafePointer<Float>, count: Int, columns: Int, for parts: [LayerPart],
    _ arithmetic: Arithmetic, on pool: WorkerPool
  ) {
    self.x = x
    self.count = count
    self.columns = columns
    let areFew = count < StackedProduct.leastForStrips
    for part in parts {
      if let group = part.weights.tiles?.groupSize {
        guard areFew || Kernels.prefersIntegers else { continue }
        guard tiles(groupSize: group) == nil else { continue }
        tiles.append(
          TileInputs(x, count: count, columns: columns, groupSize: group, arithmetic, on: pool))
      } else if case .packed(let matrix) = part.weights, areFew {
        guard packed(groupSize: matrix.groupSize) == nil else { continue }
        packed.append(
          PackedInputs(x, count: count, columns: columns, groupSize: matrix.groupSize))
      }
    }
  }

  func packed(groupSize: Int) -> PackedInputs? { packed.first { $0.groupSize == groupSize } }

  func tiles(groupSize: Int) -> TileInputs? { tiles.first { $0.groupSize == groupSize } }
}
